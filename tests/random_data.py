"""Random data, fit to learn from or broken in every way, and what nobody should give at all."""

import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse

#: What nobody should give, mostly; some calls accept some of it.
GARBAGE = [
    *(None, True, False, "text", "", "auto", b"bytes", -1, 0, 1, 2, 3, 10**6, 10**30, -(10**30)),
    *(0.5, 1.0, 1.5, -0.5, math.nan, math.inf, -math.inf, 1e-300, 1e300, 5e-324, 1 + 2j),
    *([], (), [1, 2], (3, 3), (2, 2), (0, 3), (1, 2, 3, 4), {"a": 1}, {1, 2}, range(3)),
    *(np.float32(2), np.int64(3), np.float64("nan"), np.array(3), np.array([1.0, 2.0])),
    *(np.bool_(True), Fraction(1, 3), Decimal("0.1"), object(), abs, Path, np.eye(3)),
    *(np.datetime64("2020-01-01"), "1", Path("nowhere"), [[1, 2], [3]], iter([])),
]


def pick(rng, options):
    return options[int(rng.integers(len(options)))]


def contents(rng, shape):
    """Draw finite or broken numbers of a shape."""
    n = math.prod(shape)
    kinds = {
        "laplace": lambda: rng.laplace(size=shape),
        "white": lambda: rng.normal(size=shape),
        "positive": lambda: rng.random(shape),
        "zeros": lambda: np.zeros(shape),
        "constant": lambda: np.full(shape, rng.choice([1.0, 0.1, -255.0, 1e-200, 1e200])),
        "rank one": lambda: np.multiply.outer(rng.normal(size=shape[0]), np.ones(shape[1:])),
        "whole": lambda: rng.integers(-5, 250, shape).astype(float),
        "sparse": lambda: rng.laplace(size=shape) * (rng.random(shape) < 0.1),
        "huge": lambda: rng.laplace(size=shape) * rng.choice([1e20, 1e38, 1e77, 1e155, 1e300]),
        "tiny": lambda: (
            rng.laplace(size=shape) * rng.choice([1e-20, 1e-40, 1e-160, 1e-300, 5e-324])
        ),
        "offset": lambda: rng.choice([1e8, 1e16, 1e300]) + rng.normal(size=shape),
        "scales": lambda: (
            rng.laplace(size=shape) * 10.0 ** rng.integers(-200, 200, shape[-1:] or 1)
        ),
        "outlier": lambda: np.where(
            np.arange(n).reshape(shape) == n // 2, 1e150, rng.random(shape)
        ),
        "NaN": lambda: np.where(rng.random(shape) < 0.1, np.nan, rng.normal(size=shape)),
        "inf": lambda: np.where(rng.random(shape) < 0.05, -np.inf, rng.normal(size=shape)),
        "all NaN": lambda: np.full(shape, np.nan),
        "signed zeros": lambda: -np.zeros(shape),
        "extremes": lambda: rng.choice([np.finfo(float).max, -np.finfo(float).max, 5e-324], shape),
    }
    usual = ["laplace", "white", "positive", "whole"]
    name = pick(rng, usual) if rng.random() < 0.5 else pick(rng, list(kinds))
    with np.errstate(all="ignore"):
        return name, np.asarray(kinds[name](), dtype=float).reshape(shape)


def as_type(rng, array):
    plain = ["f8", "f8", "f8", "f4", "f4"]
    strange = [
        "f2",
        "g",
        ">f8",
        ">f4",
        "i1",
        "u1",
        "i8",
        "u8",
        "?",
        "c16",
        "c8",
        "O",
        "U",
        "M8",
        "V",
    ]
    code = pick(rng, plain if rng.random() < 0.75 else strange)
    with np.errstate(all="ignore"):
        if code == "M8":
            return code, np.zeros(array.shape, "M8[s]")
        if code == "V":
            return code, np.zeros(array.shape, [("a", float), ("b", int)])
        if code == "U":
            return code, array.astype(str)
        if code == "O":
            objects = array.astype(object)
            if rng.random() < 0.5 and objects.size:
                objects.flat[0] = pick(rng, [None, "x", 1 + 1j, {}, [1], Fraction(1, 3), 10**400])
            return code, objects
        return code, array.astype(code)


def contained(rng, array):
    """Put an array into a container, or in another order in memory."""
    ways = {
        "C": lambda: np.ascontiguousarray(array),
        "Fortran": lambda: np.asfortranarray(array),
        "backwards": lambda: array[::-1],
        "strided": lambda: np.repeat(array, 2, axis=-1)[..., ::2],
        "broadcast": lambda: np.broadcast_to(array[:1], array.shape),
        "list": array.tolist,
        "tuple": lambda: tuple(map(tuple, array.tolist())) if array.ndim == 2 else array.tolist(),
        "masked": lambda: np.ma.array(
            array, mask=rng.random(array.shape) < rng.choice([0, 0.2, 1])
        ),
        "nomask": lambda: np.ma.asarray(array),
        "csr": lambda: scipy.sparse.csr_matrix(array),
        "csc array": lambda: scipy.sparse.csc_array(array),
        "DataFrame": lambda: pd.DataFrame(array),
        "named": lambda: pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])]),
        "Series": lambda: pd.Series(array.ravel()),
        "nullable": lambda: pd.DataFrame(array).convert_dtypes(),
        "ragged": lambda: [*array.tolist(), [1.0]],
        "flat": array.ravel,
        "one more": lambda: array[np.newaxis],
        "scalar": lambda: array.dtype.type(0),
        "garbage": lambda: pick(rng, GARBAGE),
        "generator": lambda: (row for row in array),
    }
    usual = ["C", "C", "C", "Fortran", "backwards", "strided", "list"]
    name = pick(rng, usual) if rng.random() < 0.8 else pick(rng, list(ways))
    try:
        made = ways[name]()
    except (TypeError, ValueError, IndexError, OverflowError):  # not of this type
        name, made = "C", array
    if isinstance(made, np.ndarray) and rng.random() < 0.2 and made.flags.writeable:
        made.flags.writeable = False
    return name, made


def array_like(rng, shape):
    (a, array), words = contents(rng, shape), []
    b, array = as_type(rng, array)
    c, made = contained(rng, array)
    words += [a, b, c, "×".join(map(str, shape))]
    return " ".join(words), made


def matrix(rng, columns=None):
    rows = pick(rng, [30, 30, 60, 12, 5, 3, 2, 1, 1, 0])
    columns = (
        columns if columns and rng.random() < 0.9 else pick(rng, [9, 9, 16, 4, 12, 1, 2, 40, 0])
    )
    return array_like(rng, (rows, columns))


def image(rng):
    sides = [(12, 12), (12, 12), (9, 14), (16, 8), (4, 4), (3, 3), (1, 1), (2, 5), (0, 4)]
    shape = (*pick(rng, sides), *pick(rng, [(), (), (), (3,), (1,), (4,), (2,)]))
    return array_like(rng, shape)
