"""The page's drawings: displays as SVG, in the page's own color of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
import matplotlib.figure
from matplotlib.backends.backend_svg import FigureCanvasSVG

from sparsebp.displays import (
    CoefficientsDisplay,
    GaborDisplay,
    MapDisplay,
    ObjectiveDisplay,
    ReconstructionDisplay,
)
from sparsebp.report.measurements import Measurements

#: A color that no display uses; where it stands, the page's color of text comes to stand.
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
    """A drawing with what stands above and below it.

    Attributes
    ----------
    title, caption : str
        Text.
    svg : str
        An ``<svg>`` element.
    """

    title: str
    caption: str
    svg: str


def drawings(measured: Measurements) -> Iterator[Drawing]:
    """Draw what there is to be seen of a model beside its features, in the page's order."""
    estimator, basis, shapes = measured.estimator, measured.basis, {"fit": measured.fit}
    if measured.has_map:
        map_ = MapDisplay(
            basis.components, basis.patch_shape, grid_shape=basis.grid_shape, **shapes
        )
        yield Drawing(
            "The map",
            "Which orientation and which frequency each place on the map prefers.",
            "".join(
                inline_svg(map_, (4, 3.6), f"map of {name}", panels=name)
                for name in ("orientation", "frequency")
            ),
        )
    yield Drawing(
        "Orientations, frequencies and places",
        "Of the Gabor functions that fit the features best. A good code covers them all.",
        inline_svg(
            GaborDisplay(basis.components, basis.patch_shape, **shapes),
            (7, 3.4),
            "orientations, frequencies and places of the features",
        ),
    )
    yield Drawing(
        "Objective",
        "What was minimized, from the start on.",
        inline_svg(ObjectiveDisplay.from_estimator(estimator), (5, 2.8), "objective"),
    )
    yield Drawing(
        "Coefficients",
        "A sparse code has more coefficients near zero, and more very large ones, than a Gaussian.",
        inline_svg(CoefficientsDisplay(measured.codes), (5, 2.8), "histogram of coefficients"),
    )
    if measured.reconstruction is not None:
        some = measured.samples, measured.reconstruction
        yield Drawing(
            "Reconstruction",
            "Some patches, what the model makes of them, and what is left over: in percent of each "
            "patch's variance about its own mean, while the headline's is about the mean patch.",
            inline_svg(
                ReconstructionDisplay(*some, basis.patch_shape), (7, 2.6), "patches reconstructed"
            ),
        )


def inline_svg(display: Any, size: tuple[float, float], label: str, **options: Any) -> str:
    """Draw a display as SVG, to be put into a page.

    Parameters
    ----------
    display : a display of `sparsebp.displays`
        Anything whose ``plot`` takes ``ax``.
    size : (width, height)
        In inches; the page scales it.
    label : str
        What is seen, for whoever does not see it.
    **options
        Passed on to ``plot``.

    Returns
    -------
    svg : str
        An ``<svg>`` element whose text has the color of the text around it.
    """
    with mpl.rc_context(_STYLE):
        figure = matplotlib.figure.Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        display.plot(ax=figure.subplots(), **options)
        file = StringIO()
        figure.savefig(
            file, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None}
        )
    svg = file.getvalue()
    return _own_names(_labelled(svg[svg.index("<svg") :], label, size[0]), label).replace(
        _TEXT, "currentColor"
    )


def _labelled(svg: str, label: str, inches: float) -> str:
    """Let the picture fill its place, not smaller than it can be read, and say what it shows."""
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*pt"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*pt"', r"\1", svg, count=1)
    shown = f'<svg role="img" aria-label="{escape(label)}" style="--inches: {inches:g}"'
    return svg.replace("<svg", shown, 1)


def _own_names(svg: str, label: str) -> str:
    """Rename what the picture refers to in itself: names hold for the whole page."""
    prefix = re.sub(r"\W+", "-", label.lower())
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}-", svg)
