"""Principal directions of samples, without those that contain only rounding errors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from sparsebp._magnitudes import decomposing, ignore_float_warnings, largest_magnitude
from sparsebp.samples import ArraySamples, count_threads, second_moments

#: Features up to which blocks of samples are summed in several threads.
_FEW_FEATURES = 4096


@ignore_float_warnings()
def principal_directions(
    X: NDArray[Any], mean: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues of the covariance above its rounding error, and their eigenvectors.

    Eigenvalues (rank,) are in decreasing order, unit eigenvectors (n_features, rank) have a
    positive largest entry. If all samples are equal, or so large that their squares overflow, it is
    a ValueError.
    """
    # With fewer samples than features, their inner products contain the same information.
    centered = X - mean if X.shape[0] < X.shape[1] else None
    moments = _covariance(X, mean) if centered is None else _inner_products(X, centered)
    with decomposing():
        values, vectors = linalg.eigh(moments)
    values, vectors = values[::-1], vectors[:, ::-1]
    # Summed in float64, whatever the samples are. Their own rounding errors, of relative size eps,
    # enter as variances: float32 has a much lower floor than its eps times the largest variance.
    summing = np.finfo(np.float64).eps * values[0]
    rounding = np.finfo(X.dtype).eps ** 2 * (values.sum() + mean @ mean)
    rank = int(np.sum(values > max(X.shape) * max(summing, rounding)))
    if rank == 0:
        raise ValueError(_why_none(X))
    vectors = vectors[:, :rank]
    if centered is not None:
        vectors = centered.T @ vectors
        vectors /= np.linalg.norm(vectors, axis=0)
    largest, smallest = vectors.max(axis=0), vectors.min(axis=0)
    return values[:rank], vectors * np.where(largest < -smallest, -1.0, 1.0)


def _why_none(X: NDArray[Any]) -> str:
    """Return why samples have no directions: they are equal, or their differences are lost."""
    if (X[0] == X).all():
        return (
            f"all {X.shape[0]} samples are equal (n_features={X.shape[1]}): "
            "whitening needs samples that differ"
        )
    spread = float((X.max(axis=0) - X.min(axis=0)).max())
    return (
        f"the samples of size {largest_magnitude(X):.2g} differ by no more than {spread:.2g}, "
        "which is below rounding error or underflows: subtract their mean, and scale X to about "
        "unit variance"
    )


def _covariance(X: NDArray[Any], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    n_samples, n_features = X.shape
    # Every thread holds a matrix of n_features².
    n_threads = count_threads(None) if n_features <= _FEW_FEATURES else 1
    with np.errstate(over="ignore", invalid="ignore"):
        total = second_moments(ArraySamples(X.T, n_threads), mean[:, np.newaxis])
    _check_squares(total, X)
    return total / n_samples


def _inner_products(X: NDArray[Any], centered: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        products = centered @ centered.T
    _check_squares(products, X)
    return products / len(X)


def _check_squares(squares: Any, X: NDArray[Any]) -> None:
    if not np.isfinite(squares).all():
        raise ValueError(
            f"X has entries up to {largest_magnitude(X):.3g}, whose squares overflow: scale X down"
        )
