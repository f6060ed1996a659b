"""Planted problems: data made from a known dictionary or from known sources."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparsebp._checks import (
    RandomSource,
    RandomState,
    check_choice,
    check_integer,
    check_number,
    random_source,
)
from sparsebp._memory import check_memory

_MAX_CONDITION = 10.0
_MAX_DECIBELS = 300.0


class DictionarySignals(NamedTuple):
    """Signals that are sparse in a known dictionary: X = codes @ dictionary + noise.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The signals.
    dictionary : ndarray of shape (n_components, n_features)
        The atoms, of unit norm.
    codes : ndarray of shape (n_samples, n_components)
        The coefficients, n_nonzero of them in each row other than zero.
    """

    X: NDArray[np.float64]
    dictionary: NDArray[np.float64]
    codes: NDArray[np.float64]


class Mixtures(NamedTuple):
    """Mixtures of known independent sources: X = sources @ mixing.T.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The mixtures; n_features = n_sources.
    mixing : ndarray of shape (n_features, n_sources)
        The mixing matrix.
    sources : ndarray of shape (n_samples, n_sources)
        The sources, independent and of unit variance.
    """

    X: NDArray[np.float64]
    mixing: NDArray[np.float64]
    sources: NDArray[np.float64]


def make_dictionary_signals(
    n_samples: int = 1500,
    n_features: int = 20,
    n_components: int = 50,
    *,
    n_nonzero: int = 3,
    snr_db: float | None = None,
    random_state: RandomState = None,
) -> DictionarySignals:
    """Draw a Gaussian dictionary and signals that are sums of a few of its atoms.

    Each signal is a sum of `n_nonzero` different atoms, every choice equally likely, with
    standard normal coefficients, plus white Gaussian noise. The defaults are the recovery
    experiment of the K-SVD paper, with normal instead of uniform coefficients.

    Parameters
    ----------
    n_samples : int, default=1500
        Number of signals, >= 1.
    n_features : int, default=20
        Length of a signal, >= 1.
    n_components : int, default=50
        Number of atoms, >= 1.
    n_nonzero : int, default=3
        Atoms in each signal, from 1 to `n_components`.
    snr_db : float or None, default=None
        10 log10(||codes @ dictionary||^2 / ||noise||^2) in decibels, exactly, over all signals
        together. None for no noise. The noise is drawn last: one seed gives one dictionary and one
        set of codes at every `snr_db`.
    random_state : None, int, RandomState or Generator, default=None
        Where the numbers come from.

    Returns
    -------
    DictionarySignals
        Named tuple (X, dictionary, codes).

    Raises
    ------
    TypeError
        If a count is not an integer or `snr_db` is not a number.
    ValueError
        If a count is less than 1, `n_nonzero` exceeds `n_components`, or `snr_db` is not from -300
        to 300.

    References
    ----------
    M. Aharon, M. Elad, A. Bruckstein, "K-SVD: an algorithm for designing overcomplete dictionaries
    for sparse representation", IEEE Transactions on Signal Processing 54, 2006, section V.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.datasets import make_dictionary_signals
    >>> X, dictionary, codes = make_dictionary_signals(100, random_state=0)
    >>> X.shape, dictionary.shape, codes.shape
    ((100, 20), (50, 20), (100, 50))
    >>> bool(np.allclose(X, codes @ dictionary)), bool(np.all((codes != 0).sum(axis=1) == 3))
    (True, True)
    """
    n_samples = check_integer("n_samples", n_samples)
    n_features = check_integer("n_features", n_features)
    n_components = check_integer("n_components", n_components)
    if check_integer("n_nonzero", n_nonzero) > n_components:
        raise ValueError(
            f"n_nonzero={n_nonzero} is more than n_components={n_components}: "
            "give at most n_components"
        )
    if snr_db is not None:
        check_number("snr_db", snr_db, minimum=-_MAX_DECIBELS, maximum=_MAX_DECIBELS)
    sizes = {"n_samples": n_samples, "n_features": n_features, "n_components": n_components}
    name = max(sizes, key=lambda size: sizes[size])
    codes_shape = (n_samples, n_components)  # of the codes, and of what draws their places
    shapes = (n_samples, n_features), (n_components, n_features), codes_shape, codes_shape
    check_memory(name, sizes[name], *shapes)
    rng = random_source(random_state)
    dictionary = rng.standard_normal((n_components, n_features))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    codes = _sparse_codes(n_samples, n_components, n_nonzero, rng)
    X = codes @ dictionary
    if snr_db is not None:
        noise = rng.standard_normal(X.shape)
        noise *= np.linalg.norm(X) / np.linalg.norm(noise) * 10.0 ** (-float(snr_db) / 20)
        X = X + noise
    return DictionarySignals(X, dictionary, codes)


def make_mixtures(
    n_samples: int = 5000,
    n_sources: int = 8,
    *,
    distribution: str = "laplace",
    random_state: RandomState = None,
) -> Mixtures:
    """Draw independent sources and mix them by a random square matrix.

    Parameters
    ----------
    n_samples : int, default=5000
        Number of samples, >= 1.
    n_sources : int, default=8
        Number of sources and of mixtures, >= 1.
    distribution : {"laplace", "student_t", "uniform"}, default="laplace"
        Distribution of the sources, with mean 0 and variance 1: Laplace (kurtosis 6), Student's t
        with 5 degrees of freedom (kurtosis 9), or uniform (kurtosis 1.8; the Gaussian has 3).
    random_state : None, int, RandomState or Generator, default=None
        Where the numbers come from.

    Returns
    -------
    Mixtures
        Named tuple (X, mixing, sources). The mixing matrix has standard normal entries, except
        that singular values below a tenth of the largest are raised to a tenth of it, so that its
        condition number is at most 10.

    Raises
    ------
    TypeError
        If a count is not an integer.
    ValueError
        If a count is less than 1 or `distribution` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.datasets import make_mixtures
    >>> X, mixing, sources = make_mixtures(1000, 4, random_state=0)
    >>> X.shape, mixing.shape, bool(np.linalg.cond(mixing) < 10.001)
    ((1000, 4), (4, 4), True)
    >>> bool(np.allclose(X, sources @ mixing.T))
    True
    """
    n_samples = check_integer("n_samples", n_samples)
    n_sources = check_integer("n_sources", n_sources)
    check_choice("distribution", distribution, ("laplace", "student_t", "uniform"))
    sizes = {"n_samples": n_samples, "n_sources": n_sources}
    name = max(sizes, key=lambda size: sizes[size])
    check_memory(name, sizes[name], *2 * [(n_samples, n_sources)], *4 * [(n_sources, n_sources)])
    rng = random_source(random_state)
    sources = _unit_variance(distribution, (n_samples, n_sources), rng)
    left, singular_values, right = np.linalg.svd(rng.standard_normal((n_sources, n_sources)))
    mixing = left * np.maximum(singular_values, singular_values[0] / _MAX_CONDITION) @ right
    return Mixtures(sources @ mixing.T, mixing, sources)


def _sparse_codes(
    n_samples: int, n_components: int, n_nonzero: int, rng: RandomSource
) -> NDArray[np.float64]:
    # The places of the smallest of n random numbers are a uniform choice without repetition.
    lottery = rng.random((n_samples, n_components))
    support = np.argpartition(lottery, n_nonzero - 1, axis=1)[:, :n_nonzero]
    codes = np.zeros((n_samples, n_components))
    np.put_along_axis(codes, support, rng.standard_normal(support.shape), axis=1)
    return codes


def _unit_variance(
    distribution: str, shape: tuple[int, int], rng: RandomSource
) -> NDArray[np.float64]:
    if distribution == "laplace":
        return rng.laplace(scale=np.sqrt(1 / 2), size=shape)
    if distribution == "student_t":
        return rng.standard_t(5, size=shape) * np.sqrt(3 / 5)
    return rng.uniform(-np.sqrt(3), np.sqrt(3), size=shape)
