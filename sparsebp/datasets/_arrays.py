"""Images in files of arrays: NumPy's, MATLAB's and van Hateren's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._shapes import COLORS, image_number_axis, is_photograph
from sparsebp.datasets._pixels import Pixels

#: Lengths of a last axis that may be an image's colors and opacity.
_WITH_OPACITY = (2, 4)
_VAN_HATEREN = (1024, 1536)
#: Bits of the camera, a Kodak DCS420; deblurred images (.imc) go a little beyond.
_VAN_HATEREN_BITS = 12


def read_arrays(path: Path) -> Iterator[Pixels]:
    """Read the images of an ``.npy``, ``.npz``, ``.mat``, ``.iml`` or ``.imc`` file, one at a time.

    If no array can be images, or one can be read in two ways, it is a ValueError.
    """
    suffix = path.suffix.lower()
    if suffix in (".iml", ".imc"):
        yield _read_van_hateren(path)
        return
    arrays = {".npy": _read_npy, ".npz": _read_npz, ".mat": _read_mat}[suffix](path)
    usable = {name: array for name, array in arrays.items() if _holds_images(array)}
    if not usable:
        held = ", ".join(f"{name or 'one'} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"it contains no array of images, but: {held or 'nothing'}")
    # All or none: what is skipped must not have been read in part.
    stacks = {name: _stack(name, a, matlab=suffix == ".mat") for name, a in usable.items()}
    for name, stack in stacks.items():
        part = f"/{name}" if len(usable) > 1 else ""
        for index, image in enumerate(stack):
            number = f"[{index}]" if len(stack) > 1 else ""
            yield Pixels(np.asarray(image), part + number)


def _read_npy(path: Path) -> dict[str, NDArray[Any]]:
    return {"": np.load(path, mmap_mode="r", allow_pickle=False)}


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: _member(archive, name) for name in archive.files}


def _member(archive: Any, name: str) -> NDArray[Any]:
    """Return an array; of what is none, such as text or pickled objects, one without numbers."""
    try:
        return np.asarray(archive[name])
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        return np.array(None)


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


def _stack(name: str, array: NDArray[Any], *, matlab: bool) -> Any:
    """Return an array as a sequence of images, (height, width) or (height, width, 3) each."""
    shape, refusal = array.shape, _refusal(name, array.shape)
    color = shape[-1] == COLORS and len(shape) == 3
    if len(shape) == 2 or color:
        if is_photograph(*shape[:2]):
            return array[np.newaxis]
        raise ValueError(refusal)
    if len(shape) == 4:
        return _stack_with_channels(array, refusal)
    if len(shape) != 3 or shape[0] == COLORS or (shape[2] in _WITH_OPACITY and not matlab):
        raise ValueError(refusal)
    axis = image_number_axis(shape)
    if axis is None and matlab and is_photograph(*shape[:2]):
        axis = 2  # MATLAB's custom
    if axis is None:
        raise ValueError(refusal)
    return np.moveaxis(array, axis, 0)


def _stack_with_channels(array: NDArray[Any], refusal: str) -> NDArray[Any]:
    """Return (n_images, height, width, channels), or MATLAB's with the images last, as a stack."""
    readings = [
        stack
        for stack in (array, np.moveaxis(array, 3, 0))
        if stack.shape[3] in (1, COLORS) and is_photograph(*stack.shape[1:3])
    ]
    if len(readings) != 1:
        raise ValueError(refusal)
    (stack,) = readings
    return stack[..., 0] if stack.shape[3] == 1 else stack


def _refusal(name: str, shape: tuple[int, ...]) -> str:
    array = f"its array {name}" if name else "its array"
    either = ""
    if len(shape) == 3 and shape[0] == COLORS:
        either = f" ({COLORS} gray images, or the channels of one in color)"
    elif len(shape) == 3:
        either = f" ({shape[0]} images, {shape[2]} with their number last, or {shape[2]} channels)"
    return (
        f"how to read {array} of shape {shape} is not clear{either}; save (height, width) for one "
        "gray image, (height, width, 3) for one in color, and (n_images, height, width, 1) or "
        "(n_images, height, width, 3) for several"
    )
