"""Coefficients displays: the histogram of coefficients and a Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_matrix
from sparsebp.displays._axes import plain, take_axes
from sparsebp.displays._features import method_of
from sparsebp.metrics import coefficient_kurtosis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAUSSIAN_REACH = 4.0  # standard deviations that are always shown
SHARE_LEFT_OUT = 1e-4
N_BINS = 80
HEADROOM = 0.3  # of the height below it, where the legend stands


class CoefficientsDisplay:
    """Histogram of coefficients against the Gaussian of the same mean and variance.

    All coefficients together are divided by their standard deviation. The density has a
    logarithmic axis, on which a Gaussian is a parabola and a sparse density a peak with tails.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_components)
        Coefficients, not all of them equal.
    label : str, default "coefficients"
        Name of the histogram in the legend.

    Attributes
    ----------
    kurtosis : float
        That of all coefficients together; a Gaussian has 3.
    ax_, figure_, histogram_, gaussian_ : matplotlib Axes, Figure, StepPatch and Line2D
        After `plot`.

    Raises
    ------
    ValueError
        If the codes are not a finite real matrix, or all of them are equal.

    See Also
    --------
    sparsebp.metrics.coefficient_kurtosis : The number in the legend.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.displays import CoefficientsDisplay
    >>> codes = np.random.default_rng(0).laplace(size=(20000, 10))
    >>> round(CoefficientsDisplay(codes).kurtosis)
    6
    """

    def __init__(self, codes: ArrayLike, *, label: str = "coefficients") -> None:
        self.codes = check_matrix("codes", codes)
        self.label = label
        largest = float(np.abs(self.codes).max())
        # Divided first, since squares of very large or small numbers leave the range of floats.
        unit = self.codes.astype(np.float64).ravel() / (largest or 1.0)
        deviation = float(unit.std())
        if deviation <= 1e-14:
            raise ValueError(
                f"All {self.codes.size} codes are equal ({self.codes.flat[0]:g}), so there is no "
                "histogram; a smaller alpha gives fewer zeros."
            )
        self._normalized = unit / deviation
        self.kurtosis = coefficient_kurtosis(self.codes)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, *, label: str = "coefficients"
    ) -> CoefficientsDisplay:
        """Take the coefficients that a fitted estimator gives to samples.

        Parameters
        ----------
        estimator : object with ``transform``, also a pipeline
            Fitted.
        X : array-like of shape (n_samples, n_features)
            Samples; a few thousand are enough.
        label : str, default "coefficients"

        Raises
        ------
        AttributeError
            If the estimator has no ``transform``.
        ValueError
            If the samples do not fit the estimator, or as for the constructor.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.decomposition import FastICA
        >>> from sparsebp.displays import CoefficientsDisplay
        >>> X = np.random.default_rng(0).laplace(size=(500, 16))
        >>> CoefficientsDisplay.from_estimator(FastICA(5, random_state=0).fit(X), X).codes.shape
        (500, 5)
        """
        encode = method_of(estimator, "transform", "CoefficientsDisplay", "codes")
        return cls(encode(X), label=label)

    def plot(self, ax: Axes | None = None, **stairs_options: Any) -> CoefficientsDisplay:
        """Draw histogram and Gaussian.

        One bin is centered on zero, so that exact zeros are in one bin; what lies beyond the
        axis (one coefficient in ten thousand at most) counts in the density but is not shown.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            None makes a new figure.
        **stairs_options : Any
            Passed on to `matplotlib.axes.Axes.stairs`, which draws the histogram.

        Raises
        ------
        ValueError
            If ax is not one matplotlib Axes.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import CoefficientsDisplay
        >>> codes = np.random.default_rng(0).laplace(size=(1000, 10))
        >>> display = CoefficientsDisplay(codes).plot()
        >>> display.ax_.get_yscale()
        'log'
        """
        (ax,) = take_axes(ax, 1, lambda: plt.subplots(figsize=(4.5, 3.0), layout="constrained")[1])
        density, edges = _histogram(self._normalized)
        options = {
            "fill": True,
            "alpha": 0.5,
            "label": f"{self.label}, kurtosis {self.kurtosis:.3g}",
        }
        self.histogram_ = ax.stairs(density, edges, **(options | stairs_options))
        mean = self._normalized.mean()
        x = np.linspace(edges[0], edges[-1], 401)
        gaussian = np.exp(-((x - mean) ** 2) / 2) / np.sqrt(2 * np.pi)
        style = {"color": plt.rcParams["text.color"], "linestyle": "--", "linewidth": 1.5}
        (self.gaussian_,) = ax.plot(x, gaussian, label="Gaussian, kurtosis 3", **style)
        plain(ax)
        low, high = density[density > 0].min() / 2, density.max()
        top = high * (high / low) ** HEADROOM
        ax.set(yscale="log", xlim=(edges[0], edges[-1]), ylim=(low, top))
        ax.set(xlabel="Coefficient / standard deviation", ylabel="Density")
        ax.legend(loc="upper right", frameon=False, fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _histogram(values: NDArray) -> tuple[NDArray, NDArray]:
    """Return the density in bins of equal width, one of them centered on zero."""
    reach = values.mean() + GAUSSIAN_REACH * np.array([-1, 1])
    low, high = np.quantile(values, [SHARE_LEFT_OUT / 2, 1 - SHARE_LEFT_OUT / 2])
    low, high = min(low, reach[0]), max(high, reach[1])
    step = (high - low) / N_BINS
    edges = step * np.arange(np.floor(low / step + 0.5) - 0.5, high / step + 1.5)
    counts, _ = np.histogram(values, edges)
    return counts / (values.size * step), edges
