"""Photographs as arrays of numbers from 0 to 1."""

import logging
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_image

_logger = logging.getLogger(__name__)
#: The photographs that come with scikit-learn.
SAMPLE_NAMES: tuple[str, ...] = ("china.jpg", "flower.jpg")
_ALPHA_MODES = ("LA", "PA", "RGBA", "RGBa")
_LUMA = np.array([0.299, 0.587, 0.114])


def load_sample_photographs(*, color: bool = False) -> list[NDArray[np.float64]]:
    """Load the two photographs that come with scikit-learn, a temple and a flower.

    Parameters
    ----------
    color : bool, default=False
        Whether to keep the colors. Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).

    Returns
    -------
    list of 2 ndarrays of shape (427, 640) or (427, 640, 3)
        Values in [0, 1].

    Examples
    --------
    >>> from sparsebp.datasets import load_sample_photographs
    >>> china, flower = load_sample_photographs()
    >>> china.shape, china.dtype.name
    ((427, 640), 'float64')
    """
    return [_with_channels(load_sample_image(name) / 255, color=color) for name in SAMPLE_NAMES]


def load_photographs(
    folder: str | os.PathLike[str], *, color: bool = False
) -> list[NDArray[np.float64]]:
    """Load every image file of a folder, in the order of their names.

    Photographs are turned upright as their camera noted. Transparent parts are laid on white.
    Of an animation the first picture is taken. Hidden files and folders within the folder are
    passed over.

    Parameters
    ----------
    folder : str or path
        The folder. Any format that Pillow reads will do.
    color : bool, default=False
        Whether to keep the colors. If so, grey photographs get three equal channels; if not, grey
        is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) of the stored, gamma-corrected values.

    Returns
    -------
    list of ndarrays of shape (height, width) or (height, width, 3)
        Values in [0, 1].

    Raises
    ------
    TypeError
        If `folder` is not a path.
    ValueError
        If `folder` does not exist, is not a folder, cannot be listed, or has no readable image.

    Warns
    -----
    UserWarning
        If a file is skipped because it is not an image, is damaged, or is so large that Pillow
        takes it for an attack (``PIL.Image.MAX_IMAGE_PIXELS``).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from sparsebp.datasets import load_photographs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (3, 2), 51).save(Path(folder) / "dark.png")
    ...     load_photographs(folder)
    [array([[0.2, 0.2, 0.2],
           [0.2, 0.2, 0.2]])]
    """
    return list(load_named_photographs(folder, color=color).values())


def load_named_photographs(
    folder: str | os.PathLike[str],
    *,
    color: bool = False,
    track: Callable[[list[Path]], Iterable[Path]] = iter,
) -> dict[str, NDArray[np.float64]]:
    """Load every image file of a folder, as `load_photographs` does, with its name.

    Parameters
    ----------
    folder : str or path
        The folder.
    color : bool, default=False
        Whether to keep the colors.
    track : callable, default=iter
        What goes through the list of files as they are read, such as `rich.progress.track`.

    Returns
    -------
    dict of str to ndarray of shape (height, width) or (height, width, 3)
        File name to image, in the order of the names.

    Raises
    ------
    TypeError
        If `folder` is not a path.
    ValueError
        If `folder` does not exist, is not a folder, cannot be listed, or has no readable image.

    Warns
    -----
    UserWarning
        If a file is skipped because it is not a readable image.
    """
    files = _visible_files(folder)
    photographs = {}
    for path in track(files):
        try:
            photographs[path.name] = _read(path, color=color)
        # Decoders of damaged files fail in any way whatever, not with one kind of error.
        except Exception as error:
            message = f"{path.name} was skipped, as it is not a readable image: {error}"
            warnings.warn(message, stacklevel=2)
    if not photographs:
        raise ValueError(
            f"folder={str(folder)!r} has no readable image among its {len(files)} files"
        )
    _logger.info("%d of %d files of %s are photographs", len(photographs), len(files), folder)
    return photographs


def _visible_files(folder: str | os.PathLike[str]) -> list[Path]:
    if not isinstance(folder, str | os.PathLike):
        raise TypeError(f"folder={folder!r} is not a path: give the name of a folder of images")
    try:
        entries = sorted(Path(folder).iterdir(), key=lambda entry: entry.name)
    # A null character is a ValueError.
    except (OSError, ValueError) as error:
        raise ValueError(
            f"folder={str(folder)!r} cannot be listed: give an existing folder of images ({error})"
        ) from error
    files = [entry for entry in entries if entry.is_file() and not entry.name.startswith(".")]
    if not files:
        raise ValueError(f"folder={str(folder)!r} has no files: give a folder of images")
    return files


def _read(path: Path, *, color: bool) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            return _with_channels(_numbers(upright), color=color)


def _numbers(image: Image.Image) -> NDArray[np.float64]:
    """Turn an image of any mode into numbers in [0, 1], (height, width) or (height, width, 3)."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _deep(image)
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return _on_white(np.asarray(image.convert("RGBA")) / 255)
    mode = "L" if image.mode in ("1", "L") else "RGB"
    return np.asarray(image.convert(mode)) / 255


def _deep(image: Image.Image) -> NDArray[np.float64]:
    # Files of 16 bits open as 32-bit integers in some versions of Pillow.
    numbers = np.asarray(image).astype(np.float64)
    numbers = numbers if image.mode == "F" else numbers / 65535
    if not (numbers.min() >= 0 and numbers.max() <= 1):
        raise ValueError("its numbers are beyond the range of 16 bits, or of 0 to 1 if fractions")
    return numbers


def _on_white(rgba: NDArray[np.float64]) -> NDArray[np.float64]:
    opacity = rgba[..., 3:]
    return rgba[..., :3] * opacity + (1 - opacity)


def _with_channels(image: NDArray[Any], *, color: bool) -> NDArray[np.float64]:
    if color:
        return image if image.ndim == 3 else np.repeat(image[..., np.newaxis], 3, axis=2)
    if image.ndim == 2:
        return image
    # The weights add up to one only within rounding.
    return np.clip(image @ _LUMA, 0, 1)
