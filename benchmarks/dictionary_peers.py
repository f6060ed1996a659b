"""Other libraries for sparse coding, each configured as its documentation recommends.

Samples come in rows, a basis has its atoms in columns. α is the weight of ‖s‖₁ relative to ‖x −
As‖², so libraries that minimize ½‖x − As‖² + … get α / 2.
"""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

import numpy as np
from sklearn.decomposition import DictionaryLearning, MiniBatchDictionaryLearning, sparse_encode

from benchmarks.timing import Trail


def spams_dictionary(
    X: np.ndarray,
    basis: np.ndarray,
    alpha: float,
    iterations: int,
    n_threads: int,
    batch_size: int = 256,
    n_nonzero: int | None = None,
) -> np.ndarray:
    """Return the basis that SPAMS learns online.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples.
    basis : ndarray of shape (n_features, n_components)
        Where to begin.
    alpha : float
        Weight of the L1 penalty.
    iterations : int
        Batches; a negative number is a time in seconds.
    n_threads : int
        Threads.
    batch_size : int
        Samples of a batch.
    n_nonzero : int, optional
        Codes of so many atoms by pursuit, instead of the penalty.
    """
    import spams

    rule = (2, alpha / 2) if n_nonzero is None else (3, n_nonzero)
    options = {"mode": rule[0], "lambda1": rule[1], "iter": iterations, "batchsize": batch_size}
    start = np.asfortranarray(basis)
    with redirect_stdout(StringIO()):
        return spams.trainDL(
            np.asfortranarray(X.T), D=start, numThreads=n_threads, verbose=False, **options
        )


def sklearn_minibatch(X: np.ndarray, basis: np.ndarray, alpha: float, trail: Trail) -> np.ndarray:
    """Return the basis that scikit-learn learns in one pass over batches of 256.

    One process, the default, is faster here than several: a batch is too little to share.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples.
    basis : ndarray of shape (n_features, n_components)
        Where to begin.
    alpha : float
        Weight of the L1 penalty.
    trail : Trail
        Notes the basis after each batch.
    """
    model = MiniBatchDictionaryLearning(
        basis.shape[1],
        alpha=alpha / 2,
        batch_size=256,
        fit_algorithm="cd",
        dict_init=basis.T.copy(),
        max_iter=1,
        tol=0.0,
        max_no_improvement=None,
        random_state=0,
        callback=lambda inside: trail.keep(inside["dictionary"].T) and None,
    )
    return model.fit(X).components_.T


def sklearn_dictionary(X: np.ndarray, alpha: float, seed: int, max_iter: int) -> np.ndarray:
    """Return the basis of scikit-learn's DictionaryLearning, 50 atoms, by coordinate descent.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples.
    alpha : float
        Weight of the L1 penalty.
    seed : int
        Random state.
    max_iter : int
        Iterations at most.
    """
    model = DictionaryLearning(
        50, alpha=alpha / 2, fit_algorithm="cd", max_iter=max_iter, random_state=seed
    )
    return model.fit(X).components_.T


def spams_codes(X: np.ndarray, basis: np.ndarray, alpha: float, n_threads: int) -> np.ndarray:
    """Return the exact L1 coefficients that SPAMS's LARS finds, in columns.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples.
    basis : ndarray of shape (n_features, n_components)
        A.
    alpha : float
        Weight of the L1 penalty.
    n_threads : int
        Threads.
    """
    import spams

    columns, atoms = np.asfortranarray(X.T), np.asfortranarray(basis)
    found = spams.lasso(columns, D=atoms, lambda1=alpha / 2, mode=2, numThreads=n_threads)
    return found.toarray()


def spams_pursuit(
    X: np.ndarray,
    basis: np.ndarray,
    n_threads: int,
    *,
    n_nonzero: int | None = None,
    max_energy: float = 0.0,
) -> np.ndarray:
    """Return the coefficients of SPAMS's orthogonal matching pursuit, in columns.

    It chooses the atom with which all chosen ones explain most, so not always the same atoms.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples.
    basis : ndarray of shape (n_features, n_components)
        A, normalized.
    n_threads : int
        Threads.
    n_nonzero : int, optional
        Stop at this many atoms.
    max_energy : float
        Stop at this squared error; None, its default, gives zeros in single precision.
    """
    import spams

    columns, atoms = np.asfortranarray(X.T), np.asfortranarray(basis)
    most = len(basis) if n_nonzero is None else n_nonzero
    return spams.omp(columns, D=atoms, L=most, eps=max_energy, numThreads=n_threads).toarray()


def sklearn_codes(X: np.ndarray, basis: np.ndarray, alpha: float, n_jobs: int) -> np.ndarray:
    """Return the L1 coefficients of scikit-learn's coordinate descent, in columns.

    `sparse_encode` divides its alpha by the number of features itself, as `Lasso` averages over
    them, so that it is the weight beside ½‖x − As‖².

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples.
    basis : ndarray of shape (n_features, n_components)
        A.
    alpha : float
        Weight of the L1 penalty.
    n_jobs : int
        Processes at work.
    """
    atoms = np.ascontiguousarray(basis.T)
    return sparse_encode(X, atoms, algorithm="lasso_cd", alpha=alpha / 2, n_jobs=n_jobs).T
