"""K-SVD: recovery of a dictionary.

[Aharon, Elad & Bruckstein, *IEEE Transactions on Signal Processing* 54,
2006](https://doi.org/10.1109/TSP.2006.881199) drew dictionaries of 50 atoms in 20 dimensions and
1,500 signals of 3 atoms each, with noise of 10, 20, 30 dB and without any, and counted the atoms
that 80 iterations find to within a cosine of 0.99. The paper shows its counts in a figure, so that
we compare with K-SVD, written after the paper, on the same signals: "reproduced" is one atom more
or less than the median of K-SVD. We learn online, with codes by pursuit (`n_nonzero=3`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO

import numpy as np

from sparsebp import SparseCoding
from sparsebp.metrics import dictionary_recovery
from validation.finding import Finding
from validation.literal import ksvd
from validation.setting import Setting

_MOST = "more than 45"
_LEVELS = {10.0: "about 40", 20.0: _MOST, 30.0: _MOST, None: _MOST}
_ATOMS, _FEATURES, _SIGNALS, _NONZERO = 50, 20, 1_500, 3

_Method = Callable[[np.ndarray, int], np.ndarray]


def rows(setting: Setting) -> Iterator[Finding]:
    """Measure how many atoms are found."""
    methods = _methods(setting)
    for level, published in _LEVELS.items():
        found: dict[str, list[float]] = {name: [] for name in methods}
        for seed in setting.seeds(5):
            X, truth = _signals(seed, level)
            for name, learn in methods.items():
                recovery = dictionary_recovery(truth, learn(X, seed))
                found[name].append(float(recovery.n_found))
        noise = "without noise" if level is None else f"at {level:g} dB"
        theirs = float(np.median(found["K-SVD"]))
        yield Finding(
            f"atoms found of 50, {noise}",
            published,
            found.pop("sparsebp"),
            at_least=theirs - 1,
            at_most=theirs + 1,
            better=1,
            others=found,
            recalled=True,
        )


def _signals(seed: int, level: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Draw the paper's signals: coefficients are uniform, and so are atoms before normalization."""
    rng = np.random.default_rng(seed)
    atoms = rng.uniform(-1, 1, (_ATOMS, _FEATURES))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    codes = np.zeros((_SIGNALS, _ATOMS))
    for row in codes:
        row[rng.choice(_ATOMS, _NONZERO, replace=False)] = rng.uniform(-1, 1, _NONZERO)
    X = codes @ atoms
    noise = rng.normal(size=X.shape)
    if level is not None:
        X = X + 10 ** (-level / 20) * np.linalg.norm(X) / np.linalg.norm(noise) * noise
    return X, atoms


def _methods(setting: Setting) -> dict[str, _Method]:
    methods: dict[str, _Method] = {
        "sparsebp": lambda X, seed: SparseCoding(
            _ATOMS, n_nonzero=_NONZERO, solver="online", batch_size=256,
            max_iter=setting.size(200, 3), tol=0.0, random_state=seed,
        ).fit(X).components_,
        "K-SVD": lambda X, seed: ksvd(
            X.T, _start(X, seed), setting.size(80, 2), np.random.default_rng(seed),
            n_nonzero=_NONZERO,
        ).T,
    }  # fmt: skip
    if find_spec("spams") is not None:
        methods["SPAMS"] = lambda X, seed: _spams(X, _start(X, seed), setting.size(600, 3))
    return methods


def _start(X: np.ndarray, seed: int) -> np.ndarray:
    """Return normalized signals, in columns, from which the paper starts."""
    drawn = X[np.random.default_rng(seed).choice(len(X), _ATOMS, replace=False)]
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).T


def _spams(X: np.ndarray, start: np.ndarray, n_batches: int) -> np.ndarray:
    import spams

    options = {"mode": 3, "lambda1": _NONZERO, "iter": n_batches, "batchsize": 256}
    columns, start = np.asfortranarray(X.T), np.asfortranarray(start)
    with redirect_stdout(StringIO()):
        return spams.trainDL(columns, D=start, numThreads=1, verbose=False, **options).T
