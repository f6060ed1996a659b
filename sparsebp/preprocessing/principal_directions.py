"""Principal directions of samples, without those that contain only rounding errors."""

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from sparsebp._magnitudes import decomposing, ignore_float_warnings, largest_magnitude
from sparsebp._namespaces import like, to_numpy, widened
from sparsebp.samples import BLOCK, Samples, one_blas_thread, second_moments

#: Features up to which blocks of samples are summed in several threads.
_FEW_FEATURES = 4096


@ignore_float_warnings()
def principal_directions(
    samples: Samples, mean: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues of the covariance above its rounding error, and their eigenvectors.

    Eigenvalues (rank,) are in decreasing order, unit eigenvectors (n_features, rank) have a
    positive largest entry. If all samples are equal, or so large that their squares overflow, it is
    a ValueError.
    """
    # With fewer samples than features, their inner products contain the same information.
    (n_features, n_samples), centered = samples.shape, None
    if n_samples < n_features:
        centered = to_numpy(samples.block(0, n_samples)) - mean[:, np.newaxis]
    total = _second_moments(samples, mean) if centered is None else centered.T @ centered
    if not np.isfinite(total).all():
        largest = max(samples.map_blocks(largest_magnitude))
        raise ValueError(f"X has entries up to {largest:.3g}, whose squares overflow: scale X down")
    moments = total / n_samples
    with decomposing():
        values, vectors = linalg.eigh(moments)
    values, vectors = values[::-1], vectors[:, ::-1]
    # Summed in float64, whatever the samples are. Their own rounding errors, of relative size eps,
    # enter as variances: float32 has a much lower floor than its eps times the largest variance.
    summing = np.finfo(np.float64).eps * values[0]
    rounding = np.finfo(samples.dtype).eps ** 2 * (values.sum() + mean @ mean)
    rank = int(np.sum(values > max(samples.shape) * max(summing, rounding)))
    if rank == 0:
        raise ValueError(_why_none(samples))
    vectors = vectors[:, :rank]
    if centered is not None:
        vectors = centered @ vectors
        vectors /= np.linalg.norm(vectors, axis=0)
    largest, smallest = vectors.max(axis=0), vectors.min(axis=0)
    return values[:rank], vectors * np.where(largest < -smallest, -1.0, 1.0)


def _why_none(samples: Samples) -> str:
    """Return why samples have no directions: they are equal, or their differences are lost."""
    smallest = np.min(list(samples.map_blocks(lambda x: to_numpy(x).min(axis=1))), axis=0)
    largest = np.max(list(samples.map_blocks(lambda x: to_numpy(x).max(axis=1))), axis=0)
    if (smallest == largest).all():
        return (
            f"all {samples.shape[1]} samples are equal (n_features={samples.shape[0]}): "
            "whitening needs samples that differ"
        )
    size = max(np.abs(smallest).max(), np.abs(largest).max())
    return (
        f"the samples of size {size:.2g} differ by no more than {(largest - smallest).max():.2g}, "
        "which is below rounding error or underflows: subtract their mean, and scale X to about "
        "unit variance"
    )


def _second_moments(samples: Samples, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(mean) <= _FEW_FEATURES:
        return second_moments(samples, mean[:, np.newaxis])
    total = np.zeros((len(mean), len(mean)))  # every thread would have a matrix of this size
    with one_blas_thread():
        for first in range(0, samples.shape[1], BLOCK):
            wide = widened(samples.block(first))
            centered = wide - like(mean[:, np.newaxis], wide)
            total += to_numpy(centered @ centered.T)
    return total
