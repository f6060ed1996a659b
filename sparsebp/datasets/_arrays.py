"""Images in files of arrays: NumPy's, MATLAB's and van Hateren's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._shapes import COLORS, image_number_axis, is_photograph
from sparsebp.datasets._pixels import Pixels

#: Lengths of a last axis that may hold an image's colors and how opaque it is.
_WITH_OPACITY = (2, 4)
_VAN_HATEREN = (1024, 1536)
#: Bits of the camera, a Kodak DCS420; deblurred images (.imc) go a little beyond.
_VAN_HATEREN_BITS = 12


def read_arrays(path: Path) -> Iterator[Pixels]:
    """Read the images of a file of arrays, one at a time.

    Parameters
    ----------
    path : Path
        ``.npy``, ``.npz``, ``.mat``, ``.iml`` or ``.imc``.

    Yields
    ------
    Pixels

    Raises
    ------
    ValueError
        If no array of the file can be images, or one can be read in two ways.
    """
    suffix = path.suffix.lower()
    if suffix in (".iml", ".imc"):
        yield _read_van_hateren(path)
        return
    arrays = {".npy": _read_npy, ".npz": _read_npz, ".mat": _read_mat}[suffix](path)
    usable = {name: array for name, array in arrays.items() if _holds_images(array)}
    if not usable:
        held = ", ".join(f"{name or 'one'} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"it holds no array that can be images, but: {held or 'nothing'}")
    for name, array in usable.items():
        part = f"/{name}" if len(usable) > 1 else ""
        stack = _stack(array, matlab=suffix == ".mat")
        for index, image in enumerate(stack):
            number = f"[{index}]" if len(stack) > 1 else ""
            yield Pixels(np.asarray(image), part + number)


def _read_npy(path: Path) -> dict[str, NDArray[Any]]:
    return {"": np.load(path, mmap_mode="r", allow_pickle=False)}


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _read_mat(path: Path) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat

    try:
        variables = loadmat(path)
    except NotImplementedError as error:
        raise ValueError(
            "it is MATLAB's format 7.3 (HDF5), which SciPy does not read; save it in MATLAB with "
            "save(name, variable, '-v7'), or as .npy"
        ) from error
    return {name: np.asarray(v) for name, v in variables.items() if not name.startswith("__")}


def _read_van_hateren(path: Path) -> Pixels:
    numbers = np.fromfile(path, dtype=">u2")
    if path.stat().st_size != 2 * np.prod(_VAN_HATEREN):
        raise ValueError(
            f"it has {path.stat().st_size} bytes, where an image of van Hateren's has "
            f"{2 * np.prod(_VAN_HATEREN)}: {_VAN_HATEREN[0]} rows of {_VAN_HATEREN[1]} pixels of "
            "two bytes; save it as .npy if it is another kind of image"
        )
    light = numbers.reshape(_VAN_HATEREN).astype(np.float32) / (2**_VAN_HATEREN_BITS - 1)
    return Pixels(light)


def _holds_images(array: NDArray[Any]) -> bool:
    # MATLAB's numbers and vectors have two dimensions, too.
    flat = array.ndim < 2 or array.size == 0 or (array.ndim == 2 and 1 in array.shape)
    return array.dtype.kind in "biuf" and not flat


def _stack(array: NDArray[Any], *, matlab: bool) -> Any:
    """Return an array as a sequence of images, (height, width) or (height, width, 3) each."""
    shape = array.shape
    color = shape[-1] == COLORS and len(shape) == 3
    if len(shape) == 2 or color:
        if is_photograph(*shape[:2]):
            return array[np.newaxis]
        raise ValueError(_refusal(shape))
    if len(shape) == 4:
        return _stack_with_channels(array)
    if len(shape) != 3 or shape[0] == COLORS or (shape[2] in _WITH_OPACITY and not matlab):
        raise ValueError(_refusal(shape))
    axis = image_number_axis(shape)
    if axis is None and matlab and is_photograph(*shape[:2]):
        axis = 2  # MATLAB's custom
    if axis is None:
        raise ValueError(_refusal(shape))
    return np.moveaxis(array, axis, 0)


def _stack_with_channels(array: NDArray[Any]) -> NDArray[Any]:
    """Return (n_images, height, width, channels), or MATLAB's with the images last, as a stack."""
    readings = [
        stack
        for stack in (array, np.moveaxis(array, 3, 0))
        if stack.shape[3] in (1, COLORS) and is_photograph(*stack.shape[1:3])
    ]
    if len(readings) != 1:
        raise ValueError(_refusal(array.shape))
    (stack,) = readings
    return stack[..., 0] if stack.shape[3] == 1 else stack


def _refusal(shape: tuple[int, ...]) -> str:
    return (
        f"how to read its array of shape {shape} is not clear; save (height, width) for one gray "
        "image, (height, width, 3) for one in color, and (n_images, height, width, 1) or "
        "(n_images, height, width, 3) for several"
    )
