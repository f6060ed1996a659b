"""Spectrum displays: the variance along principal directions, and how many hold most of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from sparsebp._checks import check_integer, check_matrix, check_number, check_vector, mistake
from sparsebp.displays._axes import plain, plain_logarithms, take_axes, whole_numbers
from sparsebp.displays._features import require
from sparsebp.preprocessing.principal_directions import principal_directions
from sparsebp.samples import ArraySamples

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRACTIONS = (0.9, 0.99)
MARK_STYLES = ("--", ":", "-.")
LEGEND_HEIGHT = 0.36  # of the axes, above which marks begin
FEW = 20  # eigenvalues that are seen one by one


class SpectrumDisplay:
    """Eigenvalues of the samples' covariance, and their cumulative fraction of the variance.

    Parameters
    ----------
    eigenvalues : array-like of shape (n_directions,)
        Variances along the principal directions, not negative and not all zero, in any order.
    n_components : int >= 1, default None
        Number of directions that a whitening keeps, which is marked.

    Attributes
    ----------
    eigenvalues : ndarray of shape (n_directions,)
        In decreasing order.
    cumulative : ndarray of shape (n_directions,)
        Share of the variance that the first 1, 2, ... directions hold, up to 1.
    axes_ : list of two matplotlib Axes
        After `plot`.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`, the first of the Axes.

    Raises
    ------
    TypeError
        If n_components is not an integer.
    ValueError
        If the eigenvalues are not finite numbers as above, or n_components is out of range.

    Examples
    --------
    >>> from sparsebp.displays import SpectrumDisplay
    >>> SpectrumDisplay([6, 3, 1]).cumulative
    array([0.6, 0.9, 1. ])
    """

    def __init__(self, eigenvalues: ArrayLike, *, n_components: int | None = None) -> None:
        values = np.sort(check_vector("eigenvalues", eigenvalues).astype(np.float64))[::-1]
        if values[-1] < 0 or values[0] == 0:
            raise ValueError(
                f"eigenvalues lie between {values[-1]:g} and {values[0]:g}; expected variances ≥ "
                "0, not all of them zero."
            )
        if n_components is not None and check_integer("n_components", n_components) > len(values):
            raise ValueError(
                f"n_components={n_components} but there are {len(values)} eigenvalues; give all "
                "of them, not only those that are kept."
            )
        self.eigenvalues = values
        self.n_components = n_components
        unit = np.cumsum(values / values[0])
        self.cumulative = unit / unit[-1]

    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike | None = None) -> SpectrumDisplay:
        """Take the spectrum that a fitted whitening has chosen from.

        Parameters
        ----------
        estimator : `sparsebp.preprocessing.Whitening`, or a pipeline with one among its steps, \
                or an ICA that whitens its samples
            Fitted. The number of directions it keeps is marked, if it keeps not all.
        X : array-like of shape (n_samples, n_features), default None
            The training samples, for the eigenvalues that it does not keep; for a pipeline, the
            input of its first step. None if it keeps all.

        Raises
        ------
        AttributeError
            If the estimator is not fitted, or is no whitening.
        ValueError
            If X is None but needed, or as for `from_samples`.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import SpectrumDisplay
        >>> from sparsebp.preprocessing import Whitening
        >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [3, 2, 1]
        >>> SpectrumDisplay.from_estimator(Whitening(n_components=2).fit(X), X).n_components
        2
        """
        whitening, samples = _whitening_step(estimator, X)
        name = type(whitening).__name__
        eigenvalues = None if samples is None else _eigenvalues(samples)
        if hasattr(whitening, "whitening_"):  # an ICA's map; None: the samples as they are
            if eigenvalues is None:
                raise ValueError(f"{name} keeps no eigenvalues; give X, its training samples.")
            rank = len(eigenvalues)
            kept = rank if whitening.whitening_ is None else len(whitening.whitening_)
        else:
            kept, rank = require(whitening, "n_components_"), require(whitening, "rank_")
            if eigenvalues is None and kept < rank:
                raise ValueError(
                    f"{name} keeps {kept} of {rank} eigenvalues, so the fractions of the variance "
                    "are unknown; give X, its training samples."
                )
        values = whitening.eigenvalues_ if eigenvalues is None else eigenvalues
        return cls(values, n_components=kept if kept < rank else None)

    @classmethod
    def from_samples(cls, X: ArrayLike) -> SpectrumDisplay:
        """Find the eigenvalues of samples' covariance, above its rounding error.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            If X is not a finite real matrix, all samples are equal, or their squares overflow.

        Examples
        --------
        >>> from sparsebp.displays import SpectrumDisplay
        >>> SpectrumDisplay.from_samples([[0, 0, 1], [2, 0, 1], [0, 0, 3], [2, 0, 3]]).eigenvalues
        array([1., 1.])
        """
        return cls(_eigenvalues(X))

    def plot(
        self,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        fractions: Sequence[float] | None = None,
    ) -> SpectrumDisplay:
        """Draw the eigenvalues on a logarithmic axis, and the share of the variance beside them.

        Parameters
        ----------
        ax : two matplotlib Axes, or one, default None
            One gives its place to two. None makes a new figure.
        fractions : sequence of three floats in (0, 1) or fewer, default None
            Marked are the fewest directions that hold each of these fractions, as
            ``Whitening(n_components=share)`` would keep them. None marks `n_components` if that
            was given, else 0.9 and 0.99.

        Raises
        ------
        TypeError
            If fractions is no sequence of numbers.
        ValueError
            If a share is out of range, there are more than three, or ax is something else.

        Examples
        --------
        >>> from sparsebp.displays import SpectrumDisplay
        >>> display = SpectrumDisplay([6, 3, 1]).plot(fractions=[0.7])
        >>> [text.get_text() for text in display.axes_[1].get_legend().get_texts()]
        ['2 hold 70 %']
        """
        marks = self._marks(fractions)
        make = {"figsize": (6.0, 2.5), "layout": "constrained"}
        axes = take_axes(ax, 2, lambda: plt.subplots(1, 2, **make)[1])
        index = np.arange(1, len(self.eigenvalues) + 1)
        marker = "o" if len(index) <= FEW else None
        # Values without a logarithm are skipped.
        values = np.where(self.eigenvalues > 0, self.eigenvalues, np.nan)
        for one, heights in zip(axes, (values, self.cumulative), strict=True):
            one.plot(index, heights, marker=marker, markersize=3, linewidth=1.5, color="C0")
            plain(one)
            whole_numbers(one)
            one.set_xlabel("Principal direction")
        _draw_marks(axes[0], marks, 0.0)
        _draw_marks(axes[1], marks, LEGEND_HEIGHT)
        plain_logarithms(axes[0])
        axes[0].set_ylabel("Eigenvalue")
        axes[1].set(ylim=(0, 1.03), ylabel="Cumulative variance")
        axes[1].yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        if marks:
            axes[1].legend(loc="lower right", frameon=False, fontsize="small")
        self.axes_, self.figure_ = axes, axes[0].figure
        self.ax_ = self.axes_[0]
        return self

    def _marks(self, fractions: Sequence[float] | None) -> list[tuple[int, str]]:
        if fractions is None and self.n_components is not None:
            percent = 100 * self.cumulative[self.n_components - 1]
            held = f"{percent:.3g} %" if percent < 99.95 else "over 99.9 %"
            return [(self.n_components, f"{self.n_components} kept hold {held}")]
        if fractions is not None and not isinstance(fractions, Sequence | np.ndarray):
            raise TypeError(mistake("fractions", "a sequence such as (0.9, 0.99)", fractions))
        marks = []
        for share in FRACTIONS if fractions is None else fractions:
            check_number("fractions", share, above=0, below=1)
            count = min(int(np.searchsorted(self.cumulative, share)) + 1, len(self.cumulative))
            marks.append((count, f"{count} hold {100 * share:g} %"))
        if len(marks) > len(MARK_STYLES):
            raise ValueError(mistake("fractions", f"at most {len(MARK_STYLES)} numbers", fractions))
        return marks


def _draw_marks(ax: Axes, marks: list[tuple[int, str]], bottom: float) -> None:
    style = {"color": plt.rcParams["text.color"], "linewidth": 1.0}
    for (count, label), line in zip(marks, MARK_STYLES, strict=False):
        ax.axvline(count, bottom, linestyle=line, label=label, **style)


def _eigenvalues(X: ArrayLike) -> np.ndarray:
    samples = check_matrix("X", X)
    return principal_directions(ArraySamples(samples.T), samples.mean(axis=0, dtype=np.float64))[0]


def _whitening_step(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Return the first step that has chosen from a spectrum, and what it was fitted on."""
    for _, step in getattr(estimator, "steps", []):
        if hasattr(step, "eigenvalues_") or hasattr(step, "whitening_"):
            return step, X
        if X is not None and hasattr(step, "transform"):
            X = step.transform(X)
    if not hasattr(estimator, "whitening_"):
        require(estimator, "eigenvalues_")
    return estimator, X
