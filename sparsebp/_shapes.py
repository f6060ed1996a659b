"""What the axes of an array of images mean, told from its shape alone."""

from collections.abc import Sequence

#: No photograph is so many times as long as it is wide, but a table or a stack on its side is.
_LONGEST = 5
#: Channels that a last axis of this length holds.
COLORS = 3


def is_photograph(height: int, width: int) -> bool:
    """Tell whether an image of this size may be a photograph, and not a table of numbers.

    Parameters
    ----------
    height, width : int >= 1

    Returns
    -------
    bool

    Examples
    --------
    >>> is_photograph(512, 640), is_photograph(512, 10)
    (True, False)
    """
    return min(height, width) * _LONGEST >= max(height, width)


def image_number_axis(shape: Sequence[int]) -> int | None:
    """Tell which axis of a stack of gray images counts the images, where only one axis can.

    Both (n_images, height, width) and MATLAB's (height, width, n_images) are in use. A reading is
    possible if its images are not much longer than wide; of two that are, one of square images is
    taken.

    Parameters
    ----------
    shape : (int, int, int)
        Of the stack.

    Returns
    -------
    0, 2 or None
        None if both readings are possible, or none.

    Examples
    --------
    >>> image_number_axis((10, 512, 640)), image_number_axis((512, 640, 10))
    (0, 2)
    >>> image_number_axis((60, 80, 100)) is None
    True
    """
    first, last = is_photograph(*shape[1:]), is_photograph(*shape[:2])
    if first and last:
        first, last = shape[1] == shape[2], shape[0] == shape[1]
    if first == last:
        return None
    return 0 if first else 2
