"""Objective displays: the objective against the iteration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_vector
from sparsebp._magnitudes import check_magnitude
from sparsebp.displays._axes import plain, plain_logarithms, take_axes, whole_numbers
from sparsebp.displays._features import last_step, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NOTE = "start left out"  # marks the text, so that the next curve can take it away
STYLES = ("-", "--", ":", "-.", (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))


class ObjectiveDisplay:
    """Curves of objectives against the iteration, the start being iteration 0.

    Parameters
    ----------
    history : array-like of shape (n_iterations + 1,), or mapping from name to such
        Objective at the start and after each iteration, of one run or of several, which may be
        of different length.
    label : str, default None
        Name of the curve of one run, which then gets a legend. Several have their names.

    Attributes
    ----------
    histories : dict from name to ndarray of shape (n_iterations + 1,)
        That of one run without a label has the name None.
    history : ndarray of shape (n_iterations + 1,)
        That of the first run.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.
    lines_ : list of matplotlib Line2D
        After `plot`, one for each run.
    line_ : matplotlib Line2D
        After `plot`, the first of them.

    Raises
    ------
    ValueError
        If a history is not a sequence of at least one finite real number, a mapping is empty,
        or comes with a label.

    Examples
    --------
    >>> from sparsebp.displays import ObjectiveDisplay
    >>> ObjectiveDisplay([3, 2, 1.5]).history
    array([3. , 2. , 1.5])
    >>> list(ObjectiveDisplay({"online": [3, 2], "L-BFGS": [3, 1.5, 1.2]}).histories)
    ['online', 'L-BFGS']
    """

    def __init__(
        self, history: ArrayLike | Mapping[str, ArrayLike], *, label: str | None = None
    ) -> None:
        if not isinstance(history, Mapping):
            self.histories = {label: _checked("history", history)}
            return
        _check_names("history", history, label)
        self.histories = {
            name: _checked(f"history[{name!r}]", values) for name, values in history.items()
        }

    @property
    def history(self) -> NDArray[np.floating]:
        """Objective of the first run."""
        return next(iter(self.histories.values()))

    @property
    def label(self) -> str | None:
        """Name of the first run."""
        return next(iter(self.histories))

    @classmethod
    def from_estimator(
        cls, estimator: Any | Mapping[str, Any], *, label: str | None = None
    ) -> ObjectiveDisplay:
        """Take the history of a fitted estimator, or those of several.

        Parameters
        ----------
        estimator : object with ``objective_history_`` of shape (n_iterations + 1,), or mapping
            from name to such
            A pipeline counts as its last step.
        label : str, default None
            None takes the name of the estimator's class. Several have their names.

        Raises
        ------
        AttributeError
            If an estimator is not fitted, or keeps no history.
        ValueError
            If a mapping is empty, or comes with a label.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> from sparsebp.displays import ObjectiveDisplay
        >>> fitted = SimpleNamespace(objective_history_=[3.0, 2.0])
        >>> ObjectiveDisplay.from_estimator(fitted, label="run 1").history
        array([3., 2.])
        """
        if isinstance(estimator, Mapping):
            _check_names("estimator", estimator, label)
            return cls({name: _history(one) for name, one in estimator.items()})
        name = type(last_step(estimator)).__name__
        return cls(_history(estimator), label=name if label is None else label)

    def plot(self, ax: Axes | None = None, **line_options: Any) -> ObjectiveDisplay:
        """Draw the curves.

        The vertical axis is logarithmic if all values are positive and span more than a factor of
        ten. Initial values far above all others are omitted and written next to the axis.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            None makes a new figure. Curves in one Axes, drawn at once or one after the other,
            take different styles of line, so that they differ in grayscale too.
        **line_options : Any
            Passed on to `matplotlib.axes.Axes.plot`.

        Raises
        ------
        ValueError
            If ax is not one matplotlib Axes.

        Examples
        --------
        >>> from sparsebp.displays import ObjectiveDisplay
        >>> display = ObjectiveDisplay([300, 20, 1.5]).plot()
        >>> display.ax_.get_yscale()
        'log'
        """
        (ax,) = take_axes(ax, 1, lambda: plt.subplots(figsize=(5.0, 3.2), layout="constrained")[1])
        self.lines_ = [
            _draw(ax, values, name, line_options) for name, values in self.histories.items()
        ]
        self.line_ = self.lines_[0]
        ax.set(xlabel="Iteration", ylabel="Objective")
        whole_numbers(ax)
        plain(ax)
        _fit_axis(ax)
        if any(name is not None for name in self.histories):
            ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _checked(name: str, history: ArrayLike) -> NDArray[np.floating]:
    values = check_vector(name, history)
    check_magnitude(name, values, power=1)  # an axis is as long as two of them
    return values


def _check_names(parameter: str, runs: Mapping[str, Any], label: str | None) -> None:
    if not runs:
        raise ValueError(f"{parameter} is an empty mapping; give at least one run.")
    if label is not None:
        raise ValueError(f"label={label!r} but {parameter} is a mapping, whose names are labels.")


def _history(estimator: Any) -> Any:
    return require(last_step(estimator), "objective_history_")


def _draw(ax: Axes, history: NDArray, name: str | None, options: dict[str, Any]) -> Any:
    style: dict[str, Any] = {"linestyle": STYLES[len(ax.lines) % len(STYLES)], "linewidth": 1.5}
    if len(history) == 1:
        style["marker"] = "o"
    if name is not None:
        style["label"] = name
    (line,) = ax.plot(np.arange(len(history)), history, **(style | options))
    return line


def _fit_axis(ax: Axes) -> None:
    """Choose scale and limits for all curves in the Axes."""
    histories = [np.asarray(line.get_ydata(orig=False), dtype=float) for line in ax.lines]
    for note in [text for text in ax.texts if text.get_gid() == NOTE]:
        note.remove()
    ax.autoscale(axis="y")
    starts = _starts_far_above(histories)
    low, high = min(h.min() for h in histories), max(h.max() for h in histories)
    if starts is not None:
        _leave_out(ax, starts, np.concatenate([h[1:] for h in histories]))
    elif low <= 0:
        ax.set_yscale("linear")
    elif high > 10 * low:
        plain_logarithms(ax)


def _starts_far_above(histories: list[NDArray]) -> NDArray | None:
    """Return the starts, if all curves are so long that a shape is seen and would be flattened."""
    if min(len(history) for history in histories) < 4:
        return None
    starts = np.array([history[0] for history in histories])
    rest = np.concatenate([history[1:] for history in histories])
    spread = float(np.ptp(rest))
    return starts if spread > 0 and starts.max() - rest.max() > 2 * spread else None


def _leave_out(ax: Axes, starts: NDArray, rest: NDArray) -> None:
    spread = float(np.ptp(rest))
    ax.set_yscale("linear")
    ax.set_ylim(rest.min() - 0.1 * spread, rest.max() + 0.3 * spread)
    low, high = (f"{start:.4g}" for start in (starts.min(), starts.max()))
    note = f"starts at {low}" if len(starts) == 1 else f"start at {low} to {high}"
    note = f"start at {low}" if low == high and len(starts) > 1 else note
    # To the right of the drop to iteration 1, above the rest of the curve.
    place = {"xycoords": ax.get_xaxis_transform(), "textcoords": "offset points"}
    ax.annotate(note, (1.0, 0.98), (6, 0), **place, va="top", fontsize="small", gid=NOTE)
