"""Photographs as arrays of numbers from 0 to 1."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError
from sklearn.datasets import load_sample_image

from sparsebp._checks import check_integer
from sparsebp._files import listed_names
from sparsebp._progress import Track, no_progress
from sparsebp._warnings import warn_user
from sparsebp.datasets._finding import Paths, find_files, is_image_name
from sparsebp.datasets._pixels import scaled
from sparsebp.datasets._reading import Photograph, is_wide, read_pixels, used_bits, with_channels

_logger = logging.getLogger(__name__)
#: The photographs that come with scikit-learn.
SAMPLE_NAMES: tuple[str, ...] = ("china.jpg", "flower.jpg")
_MOST_BITS = 16
#: Above the values of whitened images, but below those of images whose white is 255.
_FAR_ABOVE_WHITE = 30
#: What Pillow says of its error -9, which is an OSError.
_NO_MEMORY = "out of memory"


def load_sample_photographs(*, color: bool = False) -> list[NDArray[np.float64]]:
    """Load the two photographs that come with scikit-learn, a temple and a flower.

    Parameters
    ----------
    color : bool, default=False
        Whether to keep the colors. Gray is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).

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
    return [with_channels(load_sample_image(name) / 255, color=color) for name in SAMPLE_NAMES]


def load_photographs(
    images: Paths,
    *,
    color: bool = False,
    bits: int | None = None,
    dtype: type[np.floating] = np.float64,
) -> list[NDArray[Any]]:
    """Load photographs from files, folders or patterns.

    Reads every format of Pillow, each page of a TIFF as an image, and arrays in ``.npy``, ``.npz``,
    ``.mat`` (up to MATLAB's version 7) and van Hateren's ``.iml`` and ``.imc``. Photographs are
    rotated upright according to their EXIF data. Transparent pixels are composited on white. Of an
    animation the first frame is used.

    Parameters
    ----------
    images : path, or iterable of paths
        Files, folders, and patterns such as ``"photographs/*.png"``, each file being read once.
        A folder is searched with the folders within it, in the order of the names; hidden files,
        and files that are not images, are skipped.
    color : bool, default=False
        Whether to keep the colors. If so, gray photographs get three equal channels; if not, gray
        is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) of the stored, gamma-corrected values.
    bits : int, default=None
        Number of bits of white in files of 16 bits. None takes the fewest of 8, 12 and 16 that hold
        an image's numbers, and warns if these are less than 16.
    dtype : {numpy.float64, numpy.float32}, default=numpy.float64
        Of the images returned; float32 halves the memory.

    Returns
    -------
    list of ndarrays of shape (height, width) or (height, width, 3)
        Values in [0, 1], white being 1. Fractions in files of arrays are kept as they are, since
        whitened images have negative ones; van Hateren's numbers are divided by 4095.

    Raises
    ------
    TypeError
        If `images` is not a path or paths.
    ValueError
        If there is no such file or folder, or no readable image among the files.
    MemoryError
        If an image is too large for the memory.

    Warns
    -----
    UserWarning
        If a file is skipped because it is damaged, has colors of more than 8 bits (of which Pillow
        would lose some), an array that can be read in two ways, NaN, or is so large that Pillow
        takes it for an attack (``PIL.Image.MAX_IMAGE_PIXELS``). Also if the fractions of some
        images are far larger than those of the others.

    Notes
    -----
    An array of three dimensions is (height, width, 3) if its last side is 3, else a stack of gray
    images whose number comes first or, as in MATLAB, last; which of the two is inferred from its
    shape, and if that is not possible (except in ``.mat``) the file is skipped. The shape
    (n_images, height, width, 1) is unambiguous.

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
    return list(load_named_photographs(images, color=color, bits=bits, dtype=dtype).values())


def load_named_photographs(
    images: Paths,
    *,
    color: bool = False,
    bits: int | None = None,
    dtype: type[np.floating] = np.float64,
    track: Track = no_progress,
) -> dict[str, NDArray[Any]]:
    """Load photographs as `load_photographs` does, by their names.

    Parameters
    ----------
    images, color, bits, dtype, track
        As in `read_photographs`.

    Returns
    -------
    dict of str to ndarray of shape (height, width) or (height, width, 3)
        What `read_photographs` yields.
    """
    return dict(read_photographs(images, color=color, bits=bits, dtype=dtype, track=track))


def read_photographs(
    images: Paths,
    *,
    color: bool = False,
    bits: int | None = None,
    dtype: type[np.floating] = np.float64,
    track: Track = no_progress,
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Read photographs one at a time, as `load_photographs` does, with their names.

    Parameters
    ----------
    images, color, bits, dtype
        As in `load_photographs`.
    track : callable, optional
        Shows progress: called with the list of files and a label, such as `rich.progress.track`.

    Yields
    ------
    (str, ndarray)
        Name and image. The name is that of the file, below the folder given; of several images in a
        file each has its number, ``"stack.tif[0]"``, and its variable, ``"images.npz/x[0]"``.

    Raises
    ------
    TypeError, ValueError
        As in `load_photographs`; that there is no readable image is known at the end only.

    Warns
    -----
    UserWarning
        As in `load_photographs`.
    """
    for photograph, image in locate_photographs(
        images, color=color, bits=bits, dtype=dtype, track=track
    ):
        yield photograph.name, image
        del image


def locate_photographs(
    images: Paths,
    *,
    color: bool = False,
    bits: int | None = None,
    dtype: type[np.floating] = np.float64,
    track: Track = no_progress,
) -> Iterator[tuple[Photograph, NDArray[Any]]]:
    """Do the same as `read_photographs`, but yield what is needed to read an image again."""
    if bits is not None and check_integer("bits", bits) > _MOST_BITS:
        raise ValueError(f"bits is {bits}; give the number of bits of white, at most {_MOST_BITS}.")
    files = find_files(images)
    names = {path: name for name, path in files.items()}
    count, shallow, reasons = 0, {}, []
    largest: dict[str, float] = {}
    for path in track(list(files.values()), "reading images"):
        try:
            for number, pixels in enumerate(read_pixels(path)):
                name, used = names[path] + pixels.name, used_bits(pixels, bits)
                if is_wide(pixels) and used in (8, 12) and used not in (bits, pixels.bits):
                    shallow[name] = used
                image = with_channels(scaled(pixels, used, dtype), color=color)
                largest[name] = float(image.max())
                del pixels  # nothing but the image is kept while it is worked on
                yield Photograph(name, path.absolute(), number, color, bits, dtype), image
                del image
                count += 1
        except MemoryError as error:
            raise MemoryError(f"{names[path]}: {error or 'it is too large'}") from error
        # Decoders of damaged files may raise anything.
        except Exception as error:
            if _NO_MEMORY in str(error):
                raise MemoryError(f"{names[path]}: {error}") from error
            if isinstance(error, UnidentifiedImageError) and not is_image_name(path):
                _logger.info("%s is not an image", path)
                continue
            unknown = isinstance(error, UnidentifiedImageError)
            reason = "it is damaged, or of an unknown format" if unknown else error
            reasons.append(f"{names[path]}: {reason}")
            message = f"{names[path]} was skipped, as it is not a readable image: {reason}"
            warn_user(message)
    _tell_depths(shallow)
    _tell_scales(largest)
    if not count:
        because = f" ({reasons[0]})" if reasons else ""
        raise ValueError(
            f"images={images!r} has no readable image among its {len(files)} "
            f"{'file' if len(files) == 1 else 'files'}{because}"
        )
    _logger.info("%d images in %d files of %s", count, len(files), images)


def _tell_depths(shallow: dict[str, int]) -> None:
    for bits in sorted(set(shallow.values())):
        named = listed_names([name for name in shallow if shallow[name] == bits])
        warn_user(
            f"Read as {bits} bits in 16, since no number is above {2**bits - 1}: {named}. If these "
            "are dark images of 16 bits, give load_photographs bits=16.",
        )


def _tell_scales(largest: dict[str, float]) -> None:
    far = {name: white for name, white in largest.items() if white > _FAR_ABOVE_WHITE}
    if len(far) not in (0, len(largest)):
        warn_user(
            f"Fractions up to {max(far.values()):g} are kept as they are, although other images go "
            f"up to {min(largest.values()):.2g}: {listed_names(list(far))}. Divide them by the "
            "number that stands for white, so that no image outweighs the others.",
        )
