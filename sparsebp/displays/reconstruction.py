"""Reconstruction displays: patches, their reconstructions and the residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_choice, check_integer, check_matrix
from sparsebp._shapes import PatchShape, given_or_kept, picture_size, resolved_patch_shape
from sparsebp.displays._axes import bare, take_axes
from sparsebp.displays._features import method_of
from sparsebp.displays.mosaic import MID_GRAY, Scale, draw_mosaic, place, tile_pitch, tile_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROWS = ("patch", "reconstruction", "residual")
INCHES_PER_PATCH = 0.5
LABEL_INCHES, TITLE_INCHES = 1.0, 0.6


class ReconstructionDisplay:
    """Patches, their reconstructions and the residuals, with the errors.

    A patch's error is ||x - x̂||² / ||x - mean(x)||², the fraction of its variance that is lost.

    Parameters
    ----------
    patches : array-like of shape (n_samples, n_features)
        Patches as rows, flattened in C order from (height, width) or (height, width, 3).
    reconstructions : array-like of shape (n_samples, n_features)
    patch_shape : int, (height, width), (height, width, 3) or (frames, height, width), default None
        None takes square gray patches or, where n_features is three times a square, square color
        patches.

    Attributes
    ----------
    errors : ndarray of shape (n_samples,)
        Of each patch, 0 or more; NaN for a constant patch, whose variance is zero.
    error : float
        Of all patches together: the sums are taken before they are divided.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.

    Raises
    ------
    ValueError
        If patches or reconstructions are not finite real matrices of one shape, the patch
        shape does not fit them, or n_features is no square to infer the patch shape from.

    Examples
    --------
    >>> from sparsebp.displays import ReconstructionDisplay
    >>> patches = [[1, -1, 0, 0], [2, 0, -2, 0]]
    >>> display = ReconstructionDisplay(patches, [[1, 0, 0, 0], [2, 0, -2, 0]])
    >>> display.errors, display.error
    (array([0.5, 0. ]), 0.1)
    """

    def __init__(
        self,
        patches: ArrayLike,
        reconstructions: ArrayLike,
        patch_shape: PatchShape = None,
    ) -> None:
        self.patches = check_matrix("patches", patches)
        self.reconstructions = check_matrix("reconstructions", reconstructions)
        if self.patches.shape != self.reconstructions.shape:
            raise ValueError(
                f"patches have shape {self.patches.shape} but reconstructions "
                f"{self.reconstructions.shape}; give one reconstruction for each patch."
            )
        self.patch_shape = resolved_patch_shape(self.patches.shape[1], patch_shape)
        patch, _, residual = _deviations(self.patches, self.reconstructions)
        total, lost = ((part**2).sum(axis=1) for part in (patch, residual))
        varied = np.where(total > 0, total, np.nan)
        self.errors = lost / varied
        self.error = float(lost.sum() / total.sum()) if total.any() else float("nan")

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, *, patch_shape: PatchShape = None
    ) -> ReconstructionDisplay:
        """Encode samples and reconstruct them.

        Parameters
        ----------
        estimator : object with ``transform`` and ``inverse_transform``, also a pipeline
            Fitted.
        X : array-like of shape (n_samples, n_features)
            Patches.
        patch_shape : int or tuple of int, default None
            None takes that of the estimator, if it was given one.

        Raises
        ------
        AttributeError
            If the estimator has no ``transform`` or no ``inverse_transform``.
        ValueError
            If the samples do not fit the estimator, or as for the constructor.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.decomposition import PCA
        >>> from sparsebp.displays import ReconstructionDisplay
        >>> X = np.random.default_rng(0).normal(size=(200, 16))
        >>> round(ReconstructionDisplay.from_estimator(PCA(16).fit(X), X).error, 6)
        0.0
        """
        restore = method_of(estimator, "inverse_transform", "ReconstructionDisplay", "patches")
        codes = method_of(estimator, "transform", "ReconstructionDisplay", "patches")(X)
        return cls(X, restore(codes), given_or_kept(patch_shape, estimator))

    def plot(
        self,
        ax: Axes | None = None,
        *,
        n_patches: int = 10,
        residual: bool = True,
        scale: Scale = "each",
    ) -> ReconstructionDisplay:
        """Draw the first patches, a column each, and write each one's error below it.

        The mean of a patch is mid-gray, also in its reconstruction, and so is zero in the residual.
        Contrast is the same in all rows.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            None makes a new figure of a size that fits.
        n_patches : int >= 1, default 10
            Number of columns, if there are so many patches.
        residual : bool, default True
            Whether the third row is drawn.
        scale : {"each", "all"}, default "each"
            Whether contrast is stretched for each column alone or for all together.

        Raises
        ------
        TypeError
            If n_patches is not an integer.
        ValueError
            If n_patches or scale is out of range, or ax is not one matplotlib Axes.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import ReconstructionDisplay
        >>> patches = np.random.default_rng(0).normal(size=(20, 16))
        >>> display = ReconstructionDisplay(patches, 0.5 * patches).plot(n_patches=4)
        >>> [label.get_text() for label in display.ax_.get_yticklabels()]
        ['patch', 'reconstruction', 'residual']
        """
        shown = min(check_integer("n_patches", n_patches), len(self.patches))
        rows = ROWS if residual else ROWS[:2]
        images = self._brightness(shown, len(rows), scale)
        mosaic = place(images, self.patch_shape, (len(rows), shown), gap=1)
        (ax,) = take_axes(ax, 1, lambda: _fitting_axes(self.patch_shape, len(rows), shown))
        draw_mosaic(ax, mosaic)
        bare(ax)
        height, width = tile_pitch(self.patch_shape, 1)
        ax.set_yticks(height * (np.arange(len(rows)) + 0.5), labels=rows)
        errors = [_percent(error) for error in self.errors[:shown]]
        ax.set_xticks(width * (np.arange(shown) + 0.5), labels=errors)
        ax.tick_params(length=0, labelsize="small")
        ax.set_xlabel(f"error, % of variance; {_percent(self.error)} in all", fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _brightness(self, shown: int, n_rows: int, scale: Scale) -> NDArray:
        check_choice("scale", scale, ("each", "all"))
        parts = _deviations(self.patches[:shown], self.reconstructions[:shown])
        rows = np.stack(parts[:n_rows])
        largest = np.abs(rows).max(axis=(0, 2) if scale == "each" else None, keepdims=True)
        return MID_GRAY + (1 - MID_GRAY) * (rows / np.where(largest > 0, largest, 1.0))


def _deviations(patches: NDArray, reconstructions: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return patches and reconstructions less the patches' means, and the residuals.

    All are divided by one number, since squares of very large numbers leave the range of floats.
    """
    largest = max(float(np.abs(part).max()) for part in (patches, reconstructions)) or 1.0
    patch, made = (part.astype(np.float64) / largest for part in (patches, reconstructions))
    mean = patch.mean(axis=1, keepdims=True)
    # Rounding of the mean must not turn a constant patch into one that varies.
    varies = np.ptp(patch, axis=1, keepdims=True) > 0
    return np.where(varies, patch - mean, 0.0), made - mean, patch - made


def _fitting_axes(patch_shape: tuple[int, ...], n_rows: int, n_columns: int) -> Axes:
    height, width = tile_size(patch_shape, 1)
    side = INCHES_PER_PATCH / max(picture_size(patch_shape))
    size = (n_columns * width * side + LABEL_INCHES, n_rows * height * side + TITLE_INCHES)
    return plt.subplots(figsize=(max(size[0], 3.4), size[1]), layout="compressed")[1]


def _percent(error: float) -> str:
    if np.isnan(error):
        return "–"
    percent = 100 * error
    if percent >= 999.5:
        return "> 999"
    return f"{percent:.0f}" if percent >= 9.95 or percent == 0 else f"{percent:.1f}"
