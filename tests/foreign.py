"""Arrays of other libraries than NumPy, for tests of what runs on any of them."""

from __future__ import annotations

from importlib.util import find_spec

import array_api_strict
import numpy as np
import pytest


def strict(array):
    return array_api_strict.asarray(array)


def on_second_device(array):
    """Arrays that NumPy cannot read, as those of a GPU."""
    return array_api_strict.asarray(array, device=array_api_strict.Device("device1"))


def torch(array):
    import torch  # takes two seconds

    return torch.tensor(np.ascontiguousarray(array))


#: Functions that make an array of another library from NumPy's.
LIBRARIES = (
    on_second_device,
    pytest.param(strict, marks=pytest.mark.slow),
    pytest.param(
        torch,
        marks=[
            pytest.mark.slow,
            pytest.mark.skipif(find_spec("torch") is None, reason="needs PyTorch"),
        ],
    ),
)

everywhere = pytest.mark.parametrize("foreign", LIBRARIES, ids=lambda f: f.__name__)


def assert_same(found, expected, foreign, *, rtol=1e-12):
    """Compare an array of another library with NumPy's, and its library, device and precision."""
    from sparsebp._namespaces import to_numpy

    kind = foreign(np.asarray(expected))
    assert type(found) is type(kind)
    assert found.dtype == kind.dtype
    assert found.device == kind.device
    expected = np.asarray(expected)
    error = np.abs(to_numpy(found) - expected).max(initial=0.0)
    assert error <= rtol * max(np.abs(expected).max(initial=0.0), 1e-300), (error, expected)
