"""Second moments of samples, and a few columns with the same second moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsebp._magnitudes import decomposing
from sparsebp._namespaces import like, widened
from sparsebp.samples.samples import Samples


def second_moments(x: np.ndarray | Samples, mean: np.ndarray | float = 0.0) -> np.ndarray:
    """Compute Σⱼ (xⱼ − μ)(xⱼ − μ)ᵀ, one sum over blocks.

    Parameters
    ----------
    x : ndarray or Samples of shape (n_rows, n_samples)
        Samples in columns.
    mean : ndarray of shape (n_rows, 1), or 0
        μ.

    Returns
    -------
    moments : ndarray of shape (n_rows, n_rows)
        In float64, whatever the samples' precision.

    Examples
    --------
    >>> second_moments(np.array([[1.0, 2.0], [0.0, 1.0]]))
    array([[5., 2.],
           [2., 1.]])
    """
    samples = Samples.of(x)
    return samples.sum(_Moments(mean))[0]


def second_moment_factor(x: np.ndarray | Samples) -> np.ndarray:
    """Return L with LLᵀ = xxᵀ and no more columns than rows.

    A squared distance of linear functions of x depends on the samples only through xxᵀ, so its
    network may run on L instead of x, with the same value and the same gradient.

    Parameters
    ----------
    x : ndarray or Samples of shape (n_rows, n_samples)
        Samples in columns.

    Returns
    -------
    factor : ndarray of shape (n_rows, min(n_rows, n_samples))
        L, from the eigenvectors of the moments, which may be rank-deficient; in x's precision,
        computed in float64.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 2.0], [0.0, 1.0, 0.0]])
    >>> factor = second_moment_factor(x)
    >>> np.allclose(factor @ factor.T, x @ x.T)
    True
    """
    samples = Samples.of(x)
    n_rows, n_samples = samples.shape
    if n_samples <= n_rows:
        return samples.block(0, n_samples)
    with decomposing():
        eigenvalues, vectors = np.linalg.eigh(second_moments(samples))
    return like(vectors * np.sqrt(np.maximum(eigenvalues, 0)), x)


@dataclass(frozen=True, eq=False)
class _Moments:
    mean: np.ndarray | float

    def __call__(self, block: np.ndarray) -> tuple[np.ndarray]:
        wide = widened(block)
        wide = wide - (like(self.mean, wide) if np.ndim(self.mean) else self.mean)
        return (wide @ wide.T,)
