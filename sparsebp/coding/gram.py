"""The Gram matrix of a basis, and its eigenvectors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sparsebp._cached import cached_property
from sparsebp._magnitudes import decomposing

#: Bytes of a G that is kept at most.
_SMALL = 2**25


@dataclass(frozen=True)
class Gram:
    """G = 2AᵀA of a basis, in units (``scale``) of its mean diagonal element, and its eigenvectors.

    ``slopes`` are 2Aᵀ. Only eigenvalues above rounding are kept, as a column; the eigenvectors of
    the others are not. ``across`` is a copy of the eigenvectors, transposed.
    """

    slopes: np.ndarray
    matrix: np.ndarray
    scale: float
    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    across: np.ndarray

    @cached_property
    def single(self) -> Gram:
        """Convert eigenvalues and eigenvectors to single precision."""
        names = ("eigenvalues", "eigenvectors", "across")
        return replace(self, **{name: getattr(self, name).astype(np.float32) for name in names})

    @classmethod
    def of(cls, basis: np.ndarray) -> Gram:
        """Compute G of a basis (n_features, n_components), in float64.

        If it is small, that of the last basis is kept: to compute it takes longer than to encode a
        few samples.
        """
        for known, gram in tuple(_kept):
            if known.shape == basis.shape and (known == basis).all():
                return gram
        gram = cls._of(basis)
        _kept[:] = [(basis.copy("K"), gram)] if gram.matrix.nbytes <= _SMALL else []
        return gram

    @classmethod
    def _of(cls, basis: np.ndarray) -> Gram:
        wide = np.ascontiguousarray(basis, np.float64)
        matrix = 2 * wide.T @ wide
        scale = float(matrix.diagonal().mean()) or 1.0
        # The eigenvectors come from the smaller of 2AᵀA and 2AAᵀ.
        is_wide = wide.shape[0] < wide.shape[1]
        with decomposing():
            eigenvalues, vectors = np.linalg.eigh(2 * wide @ wide.T if is_wide else matrix)
        kept = eigenvalues > 1e-13 * eigenvalues.max(initial=0.0)
        eigenvalues, vectors = eigenvalues[kept], vectors[:, kept]
        if is_wide:
            vectors = (wide.T @ vectors) * np.sqrt(2 / eigenvalues)
        slopes = np.ascontiguousarray(2 * wide.T)
        eigenvalues = eigenvalues[:, np.newaxis] / scale
        return cls(slopes, matrix / scale, scale, eigenvalues, vectors, vectors.T.copy())


#: The last basis and its G.
_kept: list[tuple[np.ndarray, Gram]] = []
