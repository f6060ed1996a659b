"""The figures of a report: displays as SVG panels of one size, in the page's text color."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
import matplotlib.figure
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG

from sparsebp._shapes import split_channels
from sparsebp.displays import (
    CoefficientsDisplay,
    GaborDisplay,
    MapDisplay,
    ObjectiveDisplay,
    ReconstructionDisplay,
    TuningDisplay,
)
from sparsebp.report.measurements import Measurements

#: Inches of a panel: its text is readable in two columns and on a phone.
_WIDTH, _HEIGHT = 4.6, 3.4
#: Reconstructed patches in a panel.
_PATCHES = 6
#: A color that no display uses; the page's text color replaces it.
_TEXT = "#0a0b0c"
_STYLE: Any = {
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor"), _TEXT),
    **dict.fromkeys(("xtick.color", "ytick.color", "grid.color", "hatch.color"), _TEXT),
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "legend.facecolor": "none",
    "legend.framealpha": 0.0,
    "svg.fonttype": "path",
    "svg.hashsalt": "sparsebp",  # the same picture is the same text
}


@dataclass(frozen=True)
class Drawing:
    """A section of the page: ``<svg>`` panels of one size, with a title above and a caption below.

    `page` is the page of the documentation that explains it.
    """

    title: str
    caption: str
    page: str
    panels: tuple[str, ...]


def drawings(measured: Measurements) -> Iterator[Drawing]:
    """Draw the figures of a model, in the order of the page."""
    basis, fit = measured.basis, measured.fit
    if measured.has_map:
        map_ = MapDisplay(basis.components, basis.patch_shape, grid_shape=basis.grid_shape, fit=fit)
        yield Drawing(
            "Map",
            "Preferred orientation and preferred frequency at each place on the map.",
            "guide/topographic",
            tuple(
                panel(lambda ax, name=name: map_.plot(ax, panels=name), f"map of {name}")
                for name in ("orientation", "frequency")
            ),
        )
    if measured.n_groups and len(split_channels(basis.patch_shape)[0]) == 2:
        yield _responses_to_gratings(measured)
    yield Drawing(
        "Orientations, frequencies and positions",
        "From the Gabor function that fits each feature best. A good code covers all of them.",
        "guide/pictures",
        _gabor_panels(GaborDisplay(basis.components, basis.patch_shape, fit=fit)),
    )
    if measured.reconstruction is not None:
        yield Drawing(
            "Reconstructed patches",
            "Patches, their reconstructions and the residuals. Errors are percentages of each "
            "patch's variance about its own mean; the explained variance at the top of the page is "
            "about the mean patch.",
            "guide/pictures",
            tuple(_reconstruction_panels(measured)),
        )
    yield Drawing(
        "Objective",
        "The objective by iteration; iteration 0 is the start.",
        "guide/watching",
        (panel(ObjectiveDisplay.from_estimator(measured.estimator).plot, "objective"),),
    )
    yield Drawing(
        "Coefficients",
        "Sparse coefficients are more often near zero, and more often very large, than those of a "
        "Gaussian.",
        "guide/pictures",
        (panel(CoefficientsDisplay(measured.codes).plot, "histogram of coefficients"),),
    )


def _responses_to_gratings(measured: Measurements) -> Drawing:
    shape = measured.basis.patch_shape
    display = TuningDisplay.from_estimator(measured.estimator, patch_shape=shape)
    return Drawing(
        "Responses to gratings",
        "Medians, and bands of 80 %, of filters as simple cells and of norms of groups as complex "
        "cells, relative to the best grating. Complex cells respond to any phase.",
        "guide/complex_cells",
        tuple(
            panel(lambda ax, name=name: display.plot(ax, panels=name), f"tuning to {name}")
            for name in ("orientation", "phase")
        ),
    )


def _gabor_panels(display: GaborDisplay) -> tuple[str, str]:
    """Draw the two panels of the display in a figure each."""
    polar, patch = _figure(layout="none"), _figure()
    # No layout engine knows that a half circle leaves the upper and the lower quarter empty.
    side, tall = 0.86, 0.86 * _WIDTH / _HEIGHT
    place = (0.07, 0.47 - tall / 2, side, tall)
    with mpl.rc_context(_STYLE):
        display.plot([polar.add_axes(place, projection="polar"), patch.subplots()])
        return (
            _svg(polar, "orientations and frequencies of the features"),
            _svg(patch, "positions of the features in the patch"),
        )


def _reconstruction_panels(measured: Measurements) -> Iterator[str]:
    """Draw the first patches, some in each of two panels; both give the error of all samples."""
    samples, rebuilt = measured.samples, np.asarray(measured.reconstruction)
    for first in range(0, min(2 * _PATCHES, len(samples)), _PATCHES):
        display = ReconstructionDisplay(
            np.roll(samples, -first, axis=0),
            np.roll(rebuilt, -first, axis=0),
            measured.basis.patch_shape,
        )
        yield panel(
            lambda ax, display=display: display.plot(ax, n_patches=_PATCHES),
            f"reconstructed patches from number {first + 1} on",
            height=2.4,
        )


def panel(plot: Callable[..., Any], label: str, height: float = _HEIGHT) -> str:
    """Draw one panel as an ``<svg>`` whose text has the color of the text around it.

    `plot` takes the Axes to draw on; `label` is the text alternative; the page scales the height.
    """
    with mpl.rc_context(_STYLE):
        figure = _figure(height=height)
        plot(figure.subplots())
        return _svg(figure, label)


def _figure(layout: Any = "constrained", height: float = _HEIGHT) -> matplotlib.figure.Figure:
    with mpl.rc_context(_STYLE):
        figure = matplotlib.figure.Figure(figsize=(_WIDTH, height), layout=layout)
    FigureCanvasSVG(figure)
    return figure


def _svg(figure: matplotlib.figure.Figure, label: str) -> str:
    file = StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = _labeled(svg[svg.index("<svg") :], label)
    return _own_names(svg, label).replace(_TEXT, "currentColor")


def _labeled(svg: str, label: str) -> str:
    """Make a panel scale to the width of the page, and label it."""
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*pt"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*pt"', r"\1", svg, count=1)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)


def _own_names(svg: str, label: str) -> str:
    """Make the ids within a picture unique on the page."""
    prefix = re.sub(r"\W+", "-", label.lower())
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}-", svg)
