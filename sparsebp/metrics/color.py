"""The colors of filters: how much of each is achromatic, red-green and blue-yellow."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._shapes import COLORS, PatchShape
from sparsebp._tables import Table
from sparsebp.metrics._filters import unit_volumes
from sparsebp.metrics._gabor_result import within_half_turn

#: Unit vectors of (red, green, blue): light, red against green, blue against yellow.
OPPONENT_AXES = np.array([[1, 1, 1], [1, -1, 0], [-1, -1, 2]]) / np.sqrt([[3], [2], [6]])


@dataclass(frozen=True, eq=False, repr=False)
class ColorTuning(Table):
    """The colors of filters, one entry of each array per filter.

    The axes are orthogonal ones of the stored red, green and blue: red + green + blue, red - green,
    and blue - (red + green) / 2, each of unit norm.

    Attributes
    ----------
    achromatic, red_green, blue_yellow : ndarray of shape (n_filters,)
        Shares of the sum of squares along the three axes, which add up to 1; 0 for a zero filter.
    hue : ndarray of shape (n_filters,)
        Direction of the strongest opponent color in the plane of the red-green and the blue-yellow
        axis, radians in [0, pi): 0 is red and green, pi / 2 blue and yellow. Of a filter without
        colors it means nothing.
    """

    achromatic: NDArray[np.float64]
    red_green: NDArray[np.float64]
    blue_yellow: NDArray[np.float64]
    hue: NDArray[np.float64]
    _columns: ClassVar = ("achromatic", "red_green", "blue_yellow", "hue")


def color_tuning(filters: ArrayLike, patch_shape: PatchShape = None) -> ColorTuning:
    """Measure how much of each color filter is achromatic, red-green and blue-yellow.

    The features of color photographs are achromatic edges, and broader ones that oppose blue to
    yellow or red to green (green-blue to red in sRGB).

    Parameters
    ----------
    filters : array-like of shape (n_filters, height * width * 3)
        Color patches flattened in C order, channels last. Only their shape matters.
    patch_shape : int, (height, width, 3) or (frames, height, width, 3), default None
        None takes square patches.

    Returns
    -------
    ColorTuning

    Raises
    ------
    ValueError
        If the filters are not a finite real matrix, or not in color.

    References
    ----------
    P. O. Hoyer, A. Hyvärinen, Network: Computation in Neural Systems 11, 191-210, 2000.
    Wachtler, Lee & Sejnowski 2001, "Chromatic structure of natural scenes"; their axes are
    those of the cones.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.metrics import color_tuning
    >>> white, yellow = np.ones((4, 3)), np.tile([1, 1, 0], (4, 1))
    >>> color_tuning([white.ravel(), yellow.ravel()], (2, 2, 3)).achromatic.round(2)
    array([1.  , 0.67])
    >>> list(color_tuning(np.eye(2, 12), (2, 2, 3)).to_dict())
    ['achromatic', 'red_green', 'blue_yellow', 'hue']
    """
    volumes, shape = unit_volumes(filters, patch_shape)
    if volumes.shape[-1] != COLORS:
        raise ValueError(
            f"patch_shape={shape} has no colors; give filters of color patches, (height, width, 3)."
        )
    along = volumes.reshape(len(volumes), -1, COLORS) @ OPPONENT_AXES.T
    shares = np.square(along).sum(axis=1)
    product = (along[:, :, 1] * along[:, :, 2]).sum(axis=1)
    hue = np.arctan2(2 * product, shares[:, 1] - shares[:, 2]) / 2
    return ColorTuning(*shares.T, hue=within_half_turn(hue))
