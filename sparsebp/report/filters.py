"""Description of each component: its picture, its Gabor fit and its usage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsebp._shapes import picture_size
from sparsebp.metrics import GaborFit, coefficient_kurtosis, near_zero_fraction, signal_fraction
from sparsebp.report.measurements import Measurements
from sparsebp.report.pictures import patch_pictures

_SILENT = (("silent", "contributes almost nothing, so no shape is shown"),)


@dataclass(frozen=True)
class Filter:
    """A component: its picture and best Gabor function as data URLs, and facts as text."""

    picture: str
    gabor: str
    facts: tuple[tuple[str, str], ...]


def describe_filters(measured: Measurements) -> list[Filter]:
    """Describe the components, in order."""
    features, patch_shape = measured.basis.components, measured.basis.patch_shape
    codes, fit = measured.codes, measured.fit
    silent = np.isin(np.arange(len(features)), measured.silent)
    # Each picture has its own contrast, which would make noise look like a feature.
    pictures = patch_pictures(np.where(silent[:, np.newaxis], 0, features), patch_shape)
    rendered = np.where(silent[:, np.newaxis], 0, fit.render())
    gabors = patch_pictures(rendered, picture_size(patch_shape))
    used = 1 - near_zero_fraction(codes, per_component=True)
    share = signal_fraction(features, codes)
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
