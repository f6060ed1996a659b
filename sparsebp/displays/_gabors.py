"""Gabor fits in displays: directions of bars, and colors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray

from sparsebp._checks import check_number
from sparsebp._magnitudes import in_range
from sparsebp._shapes import picture_size
from sparsebp.displays.mosaic import FAINT
from sparsebp.metrics import GaborFit, gabor_fit
from sparsebp.metrics._gabor_result import check_fit

_LIGHTNESS, _CHROMA = 0.75, 0.12  # the most vivid circle that screens can show all around
_LAB_TO_CONES = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
)
_CONES_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def fitted_gabors(
    components: NDArray, patch_shape: Sequence[int], fit: GaborFit | None
) -> GaborFit:
    """Return the fit given, if it can be one of these components, else fit them."""
    if fit is None:
        return gabor_fit(components, patch_shape)
    check_fit(fit)
    if (len(fit.r_squared), fit.patch_shape) != (len(components), picture_size(tuple(patch_shape))):
        raise ValueError(
            f"fit is of {len(fit.r_squared)} filters {fit.patch_shape} but there are "
            f"{len(components)} components {tuple(patch_shape)}; give the fit of these components."
        )
    return fit


def shown(fit: GaborFit, min_r_squared: float) -> NDArray[np.bool_]:
    """Return which filters are well-determined Gabor functions; unused filters never are."""
    threshold = check_number("min_r_squared", min_r_squared, minimum=0, maximum=1)
    return (fit.r_squared >= threshold) & fit.well_determined & ~_dead(fit)


def why_pale(fit: GaborFit, min_r_squared: float) -> str:
    """Return the reasons for which filters of this fit are not shown, as a label."""
    gabor_like = fit.r_squared >= min_r_squared
    reasons = {
        f"R² < {float(min_r_squared):g}": ~gabor_like,
        "poorly determined": gabor_like & ~fit.well_determined,
        "dead": gabor_like & fit.well_determined & _dead(fit),
    }
    return " or ".join(reason for reason, filters in reasons.items() if filters.any())


def _dead(fit: GaborFit) -> NDArray[np.bool_]:
    # By the fitted pictures: near the highest frequency a pixel grid can carry, an amplitude may be
    # hundreds of times what the pixels show of it.
    size = in_range(fit.render())[0].std(axis=1)
    return size <= FAINT * size.max(initial=0.0)


def bar_direction(fit: GaborFit) -> NDArray[np.float64]:
    """Return unit vectors along the bars in (column, row), rows growing downwards."""
    return np.stack([np.cos(fit.bar_angle), -np.sin(fit.bar_angle)], axis=1)


def orientation_colors() -> ListedColormap:
    """Return a cyclic map of hues, equally light, so that black bars stand out on each alike.

    A circle in the color space OKLab (Ottosson 2020).
    """
    hue = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    lab = np.stack([np.full(256, _LIGHTNESS), _CHROMA * np.cos(hue), _CHROMA * np.sin(hue)])
    linear = np.clip(_CONES_TO_RGB @ (_LAB_TO_CONES @ lab) ** 3, 0, 1)
    rgb = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return ListedColormap(rgb.T, name="orientation")
