"""Every component of a model by itself: its picture, its Gabor function, and how it is used."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from sparsebp._shapes import picture_size
from sparsebp.displays.mosaic import brightness, tiles
from sparsebp.metrics import GaborFit, coefficient_kurtosis, near_zero_share, signal_share
from sparsebp.report.measurements import Measurements

_SILENT = (("silent", "contributes next to nothing, so it has no shape"),)


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
    silent = np.isin(np.arange(len(features)), measured.silent)
    # Each picture has its own contrast, which would make a feature of what is next to nothing.
    pictures = _pictures(np.where(silent[:, np.newaxis], 0, features), patch_shape)
    rendered = np.where(silent[:, np.newaxis], 0, fit.render())
    gabors = _pictures(rendered, picture_size(patch_shape))
    used = 1 - near_zero_share(codes, per_component=True)
    share = signal_share(features, codes)
    peakedness = coefficient_kurtosis(codes, per_component=True)
    return [
        Filter(
            pictures[index],
            gabors[index],
            (
                ("used in", f"{used[index]:.0%} of patches"),
                ("share of the signal", f"{share[index]:.1%}"),
                ("kurtosis", f"{peakedness[index]:.1f}"),
                *(_SILENT if silent[index] else _gabor_facts(fit, index)),
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


def _pictures(filters: np.ndarray, shape: tuple[int, ...]) -> list[str]:
    """Return filters, zero being mid-gray, as the addresses of PNG pictures."""
    levels = np.rint(255 * brightness(filters, "each")).astype(np.uint8)
    return [_address(image) for image in tiles(levels, shape, gap=0)]


def _address(image: np.ndarray) -> str:
    file = BytesIO()
    Image.fromarray(image).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
