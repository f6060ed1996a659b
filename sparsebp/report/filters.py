"""Every component of a model by itself: its picture, its Gabor function, and how it is used."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from sparsebp.displays import filter_mosaic
from sparsebp.metrics import GaborFit, coefficient_kurtosis, near_zero_share
from sparsebp.report.measurements import Measurements


@dataclass(frozen=True)
class Filter:
    """What the page shows of a component.

    Attributes
    ----------
    picture, gabor : str
        The feature and its best Gabor function, as images within an address.
    facts : tuple of (str, str)
        What is known of it, for people.
    """

    picture: str
    gabor: str
    facts: tuple[tuple[str, str], ...]


def describe_filters(measured: Measurements) -> list[Filter]:
    """Describe every component, in their order."""
    features, patch_shape = measured.basis.components, measured.basis.patch_shape
    codes, fit = measured.codes, measured.fit
    pictures = [_picture(feature, patch_shape) for feature in features]
    gabors = [_picture(function, patch_shape[:2]) for function in fit.render()]
    used = 1 - near_zero_share(codes, per_component=True)
    squares = np.square(codes, dtype=np.float64).sum(axis=0) * np.square(features).sum(axis=1)
    share = squares / (squares.sum() or 1.0)
    peakedness = coefficient_kurtosis(codes, per_component=True)
    return [
        Filter(
            pictures[index],
            gabors[index],
            (
                ("used in", f"{used[index]:.0%} of patches"),
                ("share of the signal", f"{share[index]:.1%}"),
                ("kurtosis", f"{peakedness[index]:.1f}"),
                *_gabor_facts(fit, index),
            ),
        )
        for index in range(len(features))
    ]


def _gabor_facts(fit: GaborFit, index: int) -> tuple[tuple[str, str], ...]:
    (row, column), (along, across) = fit.center[index], fit.sigma[index]
    return (
        ("R² of Gabor", f"{fit.r_squared[index]:.2f}"),
        ("bars at", f"{np.degrees(fit.bar_angle[index]):.0f}°"),
        ("cycles per pixel", f"{fit.frequency[index]:.2f}"),
        ("row, column", f"{row:.1f}, {column:.1f}"),
        ("envelope", f"{along:.1f} × {across:.1f} px"),
        ("phase", f"{np.degrees(fit.phase[index]):.0f}°"),
        ("bandwidth", f"{fit.bandwidth[index]:.1f} octaves"),
        ("well determined", "yes" if fit.well_determined[index] else "no"),
    )


def _picture(values: np.ndarray, shape: tuple[int, ...]) -> str:
    """Return one filter, zero being mid-grey, as the address of a PNG picture."""
    brightness = filter_mosaic(values[np.newaxis], shape, (1, 1), gap=0)
    file = BytesIO()
    Image.fromarray(np.rint(255 * brightness).astype(np.uint8)).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
