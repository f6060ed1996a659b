"""Objective displays: the value that a fit minimized, against its iterations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogFormatter, MaxNLocator
from numpy.typing import ArrayLike

from sparsebp._checks import check_vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ObjectiveDisplay:
    """Curve of the objective against the iteration, the start being iteration 0.

    Parameters
    ----------
    history : array-like of shape (n_iterations + 1,)
        Objective at the start and after each iteration.
    label : str, default None
        Name of the curve, which then gets a legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After `plot`.
    figure_ : matplotlib Figure
        After `plot`.
    line_ : matplotlib Line2D
        After `plot`.

    Raises
    ------
    ValueError
        If the history is not a sequence of at least one finite real number.

    Examples
    --------
    >>> from sparsebp.displays import ObjectiveDisplay
    >>> ObjectiveDisplay([3, 2, 1.5]).history
    array([3. , 2. , 1.5])
    """

    def __init__(self, history: ArrayLike, *, label: str | None = None) -> None:
        self.history = check_vector("history", history)
        self.label = label

    @classmethod
    def from_estimator(cls, estimator: Any, *, label: str | None = None) -> ObjectiveDisplay:
        """Take the history of a fitted estimator.

        Parameters
        ----------
        estimator : object with ``objective_history_`` of shape (n_iterations + 1,)
            A pipeline counts as its last step.
        label : str, default None
            None takes the name of the estimator's class.

        Returns
        -------
        ObjectiveDisplay

        Raises
        ------
        AttributeError
            If the estimator is not fitted, or keeps no history.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> from sparsebp.displays import ObjectiveDisplay
        >>> fitted = SimpleNamespace(objective_history_=[3.0, 2.0])
        >>> ObjectiveDisplay.from_estimator(fitted, label="run 1").history
        array([3., 2.])
        """
        last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
        name = type(last).__name__
        if not hasattr(last, "objective_history_"):
            raise AttributeError(f"{name} has no objective_history_; call fit on it first.")
        return cls(last.objective_history_, label=name if label is None else label)

    def plot(self, ax: Axes | None = None, **line_options: Any) -> ObjectiveDisplay:
        """Draw the curve.

        The vertical axis is logarithmic where all values are positive and span more than a
        factor of ten. Where a start far above all the rest would flatten them, it is left out of
        the axis and written beside it.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            None makes a new figure. Curves in one Axes take different styles of line, so that
            they differ in greyscale too.
        **line_options : Any
            Passed on to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : ObjectiveDisplay
            With ``ax_``, ``figure_`` and ``line_`` set.

        Examples
        --------
        >>> from sparsebp.displays import ObjectiveDisplay
        >>> display = ObjectiveDisplay([300, 20, 1.5]).plot()
        >>> display.ax_.get_yscale()
        'log'
        >>> import matplotlib.pyplot as plt
        >>> plt.close(display.figure_)
        """
        if ax is None:
            _, ax = plt.subplots(figsize=(5.0, 3.2), layout="constrained")
        iterations = np.arange(len(self.history))
        (self.line_,) = ax.plot(iterations, self.history, **self._style(ax, line_options))
        _label_axes(ax)
        _fit_scale(ax)
        if len(ax.lines) == 1:
            _let_the_rest_be_seen(ax, self.history)
        else:
            ax.autoscale(axis="y")
        if self.label is not None:
            ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _style(self, ax: Axes, options: dict[str, Any]) -> dict[str, Any]:
        styles = ("-", "--", ":", "-.")
        style = {"linestyle": styles[len(ax.lines) % len(styles)], "linewidth": 1.5}
        if len(self.history) == 1:
            style["marker"] = "o"
        if self.label is not None:
            style["label"] = self.label
        return style | options


def _label_axes(ax: Axes) -> None:
    ax.set(xlabel="Iteration", ylabel="Objective")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    ax.grid(visible=True, linewidth=0.5, alpha=0.4)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def _fit_scale(ax: Axes) -> None:
    values = np.concatenate([np.ravel(line.get_ydata(orig=False)) for line in ax.lines])
    if values.min() <= 0:
        ax.set_yscale("linear")
    elif values.max() > 10 * values.min():
        ax.set_yscale("log")
        # Plain numbers such as 20 read faster than products such as 2 x 10^1.
        ax.yaxis.set_major_formatter(LogFormatter())
        ax.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2.0, 0.5)))


def _let_the_rest_be_seen(ax: Axes, history: np.ndarray) -> None:
    if len(history) < 4:
        return
    start, rest = history[0], history[1:]
    spread = float(np.ptp(rest))
    if start - rest.max() <= 2 * spread or spread == 0:
        return
    ax.set_yscale("linear")
    ax.set_ylim(rest.min() - 0.1 * spread, rest.max() + 0.3 * spread)
    note = f"begins at {start:.4g}"
    ax.annotate(note, (0.08, 0.98), xycoords="axes fraction", va="top", fontsize="small")
