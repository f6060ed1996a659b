"""Gabor fits in displays: how they are made or given, directions of bars, and colors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from matplotlib.colors import ListedColormap
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_number
from sparsebp._magnitudes import in_range
from sparsebp._shapes import PatchShape, given_or_kept, picture_size, resolved_patch_shape
from sparsebp.displays._features import check_components, learned_features
from sparsebp.displays.mosaic import FAINT
from sparsebp.metrics import GaborFit, gabor_fit
from sparsebp.metrics._gabor_result import check_fit

_LIGHTNESS, _CHROMA = 0.75, 0.12  # the most vivid circle that screens can show all around
_LAB_TO_CONES = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
)
_CONES_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


class FittedDisplay:
    """Base of displays of Gabor fits alone."""

    def __init__(
        self, components: ArrayLike, patch_shape: PatchShape = None, *, fit: GaborFit | None = None
    ) -> None:
        filters = check_components(components, type(self).__name__)
        self.patch_shape = resolved_patch_shape(filters.shape[1], patch_shape)
        self.fit = fitted_gabors(filters, self.patch_shape, fit)

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, patch_shape: PatchShape = None, fit: GaborFit | None = None
    ) -> Self:
        """Take the filters of a fitted estimator, or of a pipeline.

        Parameters
        ----------
        estimator : object with ``components_``, or with ``steps`` as a scikit-learn Pipeline
            What `BasisDisplay.from_estimator` draws is fitted.
        patch_shape : int or tuple of int, default None
            None takes that of the estimator, if it was given one.
        fit : GaborFit, default None
            As for the constructor.

        Raises
        ------
        AttributeError
            If the estimator is not fitted, or a step of the pipeline has no inverse.
        TypeError, ValueError
            As for the constructor.

        Examples
        --------
        >>> from sparsebp import load_basis
        >>> from sparsebp.displays import ShapeDisplay
        >>> ShapeDisplay.from_estimator(load_basis("ica-10x10")).fit.n_y.shape
        (81,)
        """
        components, _ = learned_features(estimator)
        return cls(components, given_or_kept(patch_shape, estimator), fit=fit)


def fitted_gabors(
    components: NDArray, patch_shape: Sequence[int], fit: GaborFit | None
) -> GaborFit:
    """Return the fit given, if it can be one of these components, else fit them."""
    if fit is None:
        return gabor_fit(components, patch_shape)
    check_fit(fit)
    if (len(fit.r_squared), fit.patch_shape) != (len(components), picture_size(tuple(patch_shape))):
        raise ValueError(
            f"fit is of {len(fit.r_squared)} filters {fit.patch_shape} but there are "
            f"{len(components)} components {tuple(patch_shape)}; give the fit of these components."
        )
    return fit


def shown(fit: GaborFit, min_r_squared: float) -> NDArray[np.bool_]:
    """Return which filters are well-determined Gabor functions; unused filters never are."""
    threshold = check_number("min_r_squared", min_r_squared, minimum=0, maximum=1)
    return (fit.r_squared >= threshold) & fit.well_determined & ~_dead(fit)


def why_pale(fit: GaborFit, min_r_squared: float) -> str:
    """Return the reasons for which filters of this fit are not shown, as a label."""
    gabor_like = fit.r_squared >= min_r_squared
    reasons = {
        f"R² < {float(min_r_squared):g}": ~gabor_like,
        "poorly determined": gabor_like & ~fit.well_determined,
        "dead": gabor_like & fit.well_determined & _dead(fit),
    }
    return " or ".join(reason for reason, filters in reasons.items() if filters.any())


def _dead(fit: GaborFit) -> NDArray[np.bool_]:
    # By the fitted pictures: near the highest frequency a pixel grid can carry, an amplitude may be
    # hundreds of times what the pixels show of it.
    size = in_range(fit.render())[0].std(axis=1)
    return size <= FAINT * size.max(initial=0.0)


def bar_direction(fit: GaborFit) -> NDArray[np.float64]:
    """Return unit vectors along the bars in (column, row), rows growing downwards."""
    return np.stack([np.cos(fit.bar_angle), -np.sin(fit.bar_angle)], axis=1)


def orientation_colors() -> ListedColormap:
    """Return a cyclic map of hues, equally light, so that black bars stand out on each alike.

    A circle in the color space OKLab (Ottosson 2020).
    """
    hue = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    lab = np.stack([np.full(256, _LIGHTNESS), _CHROMA * np.cos(hue), _CHROMA * np.sin(hue)])
    linear = np.clip(_CONES_TO_RGB @ (_LAB_TO_CONES @ lab) ** 3, 0, 1)
    rgb = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return ListedColormap(rgb.T, name="orientation")
