"""Comparison displays: how similar two dictionaries are, against chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from sparsebp._checks import mistake
from sparsebp.displays._axes import plain, take_axes
from sparsebp.displays._features import learned_features
from sparsebp.metrics import DictionaryComparison, compare_dictionaries

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N_BINS = 25
HEADROOM = 0.35  # of the height below it, where the legend stands


class ComparisonDisplay:
    """Histogram of the |cosines| of matched atoms, and that of random dictionaries.

    Parameters
    ----------
    comparison : DictionaryComparison
        What `sparsebp.metrics.compare_dictionaries` returned.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.

    Raises
    ------
    TypeError
        If comparison is something else.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.displays import ComparisonDisplay
    >>> from sparsebp.metrics import compare_dictionaries
    >>> atoms = np.random.default_rng(0).normal(size=(30, 20))
    >>> ComparisonDisplay(compare_dictionaries(atoms, atoms)).comparison.share
    1.0
    """

    def __init__(self, comparison: DictionaryComparison) -> None:
        if not isinstance(comparison, DictionaryComparison):
            wanted = "what sparsebp.metrics.compare_dictionaries returned"
            raise TypeError(mistake("comparison", wanted, comparison))
        self.comparison = comparison

    @classmethod
    def from_estimators(cls, first: Any, second: Any, **options: Any) -> ComparisonDisplay:
        """Compare the features of two fitted estimators.

        Parameters
        ----------
        first, second : object with ``components_``, or with ``steps`` as a scikit-learn Pipeline
            Fitted. What `BasisDisplay.from_estimator` draws is compared.
        **options : Any
            Passed on to `sparsebp.metrics.compare_dictionaries`: threshold, n_draws, random_state.

        Raises
        ------
        AttributeError
            If an estimator is not fitted, or a step of a pipeline has no inverse.
        TypeError, ValueError
            As for `sparsebp.metrics.compare_dictionaries`.

        Examples
        --------
        >>> from sparsebp import load_basis
        >>> from sparsebp.displays import ComparisonDisplay
        >>> names = "ica-10x10", "dead-leaves-10x10"
        >>> display = ComparisonDisplay.from_estimators(*map(load_basis, names), random_state=0)
        >>> display.comparison.share
        0.0
        """
        features = [learned_features(estimator)[0] for estimator in (first, second)]
        return cls(compare_dictionaries(*features, **options))

    def plot(self, ax: Axes | None = None, **stairs_options: Any) -> ComparisonDisplay:
        """Draw both histograms, and the threshold as a vertical line.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            None makes a new figure.
        **stairs_options : Any
            Passed on to `matplotlib.axes.Axes.stairs`, which draws the histogram of the matched
            atoms.

        Raises
        ------
        ValueError
            If ax is not one matplotlib Axes.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import ComparisonDisplay
        >>> from sparsebp.metrics import compare_dictionaries
        >>> atoms = np.random.default_rng(0).normal(size=(30, 20))
        >>> ComparisonDisplay(compare_dictionaries(atoms, atoms)).plot().ax_.get_ylabel()
        'Share of the pairs'
        """
        (ax,) = take_axes(ax, 1, lambda: plt.subplots(figsize=(4.5, 3.0), layout="constrained")[1])
        found, edges = self.comparison, np.linspace(0, 1, N_BINS + 1)
        shares = [
            np.histogram(values, edges)[0] / values.size
            for values in (found.similarity, found.chance_similarity)
        ]
        above = f"% above {found.threshold:g}"
        label = f"Matched: {100 * found.share:.0f} {above}"
        options = {"fill": True, "alpha": 0.5, "label": label}
        ax.stairs(shares[0], edges, **(options | stairs_options))
        color = plt.rcParams["text.color"]
        label = f"Chance: {100 * found.chance_share:.0f} {above}"
        ax.stairs(shares[1], edges, color=color, linestyle="--", linewidth=1.5, label=label)
        ax.axvline(found.threshold, color=color, linestyle=":", linewidth=1.0)
        plain(ax)
        ax.set(xlim=(0, 1), ylim=(0, (1 + HEADROOM) * max(share.max() for share in shares)))
        ax.set(xlabel="|cosine| of matched atoms", ylabel="Share of the pairs")
        ax.legend(loc="upper left", frameon=False, fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self
