"""What identifies a fit, so that it resumes only from its own checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from importlib.metadata import version
from numbers import Integral
from types import CodeType, FunctionType
from typing import Any
from zlib import crc32

import numpy as np
import scipy
from threadpoolctl import threadpool_info

from sparsebp import __version__
from sparsebp._magnitudes import ignore_float_warnings
from sparsebp._namespaces import to_numpy
from sparsebp.coding import KnownImage
from sparsebp.penalties import Penalty, Signed, values_of_each
from sparsebp.samples import Samples

#: Parameters that do not change what is learned.
_WITHOUT_EFFECT = ("checkpoint", "n_jobs", "verbose", "callback", "patch_shape")
#: Samples that are compared in addition to the checksums, which do not depend on their order.
_SOME = 256
#: Coefficients at which a penalty is evaluated.
_PROBE = np.linspace(-3, 3, 64)[np.newaxis]


def checksum(block: Any) -> int:
    """Return a checksum of the samples (n_features, n_samples) of a block, in their order."""
    return crc32(np.ascontiguousarray(to_numpy(block).T).data)


def identity(estimator: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters, samples and versions that determine the bits of a fit, by name.

    `data` is what identifies the samples: `samples_identity` or `images_identity`.
    """
    fit: dict[str, Any] = {"estimator": type(estimator).__name__}
    parameters = estimator.get_params(deep=False)
    fit |= {k: _described(v) for k, v in parameters.items() if k not in _WITHOUT_EFFECT}
    if estimator.warm_start:
        last = [getattr(estimator, name, None) for name in ("components_", "state_")]
        fit["the last fit"] = _described(last)
    fit |= {**data, "sparsebp": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
    fit["numba"] = version("numba")
    blas = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]
    kernels = {f"{lib['internal_api']} {lib.get('architecture', '')}".strip() for lib in blas}
    return fit | {"BLAS": ", ".join(sorted(kernels))}


def samples_identity(samples: Samples, checksums: list[int]) -> dict[str, Any]:
    """Return what identifies samples, of whose blocks these are the checksums."""
    some = to_numpy(samples.take_evenly(_SOME)).tobytes()
    per_row, per_column = to_numpy(samples.block(0, 2)).strides  # samples are columns
    return {
        "shape of X": samples.shape[::-1],
        "dtype of X": str(samples.dtype),
        "memory order of X": "C" if per_row <= per_column else "F",
        "checksum of X": _digest(some + repr(checksums).encode()),
    }


def images_identity(images: Sequence[KnownImage]) -> dict[str, Any]:
    """Return what identifies images, and the shape of their atoms."""
    arrays = [a for i in images for a in (i.pixels, i.known) if a is not None]
    return {
        "shapes of X": [image.shape for image in images],
        "dtype of X": str(images[0].pixels.dtype),
        "checksum of X": _digest(repr([checksum(a) for a in arrays]).encode()),
        "shape of atoms": images[0].patch_shape,
    }


def _described(value: Any) -> Any:
    """Return a parameter as JSON: numbers and text as they are, arrays by a digest."""
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return type(value).__name__
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, list | tuple):
        return [_described(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return f"array {value.shape} {_digest(value.tobytes())}"
    if isinstance(value, Mapping):
        return [_described(entry) for entry in value.items()]
    if isinstance(value, FunctionType):
        code, cells = value.__code__, value.__closure__ or ()
        held = [c for c in code.co_consts if not isinstance(c, CodeType)]  # whose text has a place
        held.append(_described([cell.cell_contents for cell in cells]))
        return f"{value.__qualname__} {_digest(code.co_code + repr(held).encode())}"
    # Of a penalty or a state, without cached properties.
    own = {
        name: _described(entry)
        for name, entry in sorted(getattr(value, "__dict__", {"": repr(value)}).items())
        if not hasattr(getattr(type(value), name, 0), "__get__")
    }
    if isinstance(value, Penalty) and value.is_elementwise and not isinstance(value, Signed):
        with ignore_float_warnings():  # its code may be edited
            own["values"] = _digest(values_of_each(value, _PROBE).tobytes())
    return {"class": type(value).__qualname__, **own}


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()
