"""Sparse filtering: responses normalized by filter, then by sample, and summed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsebp._cached import cached_property
from sparsebp.network import (
    Activation,
    Add,
    Identity,
    Layer,
    Linear,
    Multiply,
    Network,
    NormalizeColumns,
    NormalizeRows,
    Parameter,
    Root,
    Square,
)
from sparsebp.problems.constraints import UnitRows
from sparsebp.problems.objective import Objective, Term
from sparsebp.problems.problem import Part, Problem
from sparsebp.samples import Samples, second_moment_factor


def sparse_filtering_network(epsilon: float) -> Network:
    """Return Σ of √((Wx)² + ε), normalized by rows and then by columns, as a network.

    Parameters
    ----------
    epsilon : float
        ε > 0, which rounds the corner of |z|.

    Returns
    -------
    network : Network
        With the input x and the weight W.

    Notes
    -----
    Ngiam, Koh, Chen, Bhaskar & Ng, *Sparse filtering* (2011), equation 1; its soft absolute value.
    """
    return _network(epsilon, NormalizeRows())


def _network(epsilon: float, rows: Activation) -> Network:
    inner = (Square(), Add(epsilon), Root(), rows)
    return Network(
        "x",
        [
            Layer(Parameter("W"), Linear()),
            *(Layer(Identity(), f) for f in inner),
            Layer(None, NormalizeColumns()),
        ],
    )


def sparse_filtering(epsilon: float) -> Problem:
    """Return F(W) = (1/m) Σⱼ ‖f̂ⱼ‖₁ subject to unit-norm rows of W.

    Parameters
    ----------
    epsilon : float
        ε > 0, in the unit of the squared samples.

    Returns
    -------
    problem : Problem
        In the filters W (n_components, n_features). It takes all samples at once, no `Samples`:
        a row's length is taken over all of them. `SparseFilteringInBlocks` is the same for those.
    """
    rounded = (
        "the responses √((Wx)² + ε), a row for each filter; each row is divided by its norm, then "
        "each column by its norm"
    )
    return Problem(
        free=("W",),
        parts=(Part(r"\sum_j \| \hat f_j \|_1", sparse_filtering_network(epsilon)),),
        # Norms only change the size of ε relative to (Wx)²; free rows would grow without bound.
        constraint=UnitRows,
        values={r"\epsilon": float(epsilon)},
        meanings={
            "x_j": "sample number j of m, a column of x",
            "W": "the filters in rows",
            r"\hat f": rounded,
        },
    )


@dataclass(frozen=True)
class SparseFilteringInBlocks:
    """F(W) of `sparse_filtering` without its constraint, with samples taken block by block.

    The norm of a row, relative to the root of m, depends on the samples only through their second
    moments: ρᵣ² = mean (w x)² + ε = ‖w L‖² + ε, with LLᵀ = xxᵀ/m. With d = 1/ρ, F is a sum over
    samples, in W and d, and so is its gradient; that in d then passes through the network of ρ.

    Parameters
    ----------
    x : Samples of shape (n_features, n_samples)
        Samples in columns.
    epsilon : float
        ε > 0, relative to the mean square of the samples.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, -1.0], [0.0, 1.0, 3.0]])
    >>> blocks = SparseFilteringInBlocks(Samples.of(x), 0.1)
    >>> whole = sparse_filtering(blocks.absolute_epsilon).objective("W", {"x": x})
    >>> values = [f.value_and_gradient(np.eye(2))[0] for f in (blocks, whole)]
    >>> bool(np.isclose(*values))
    True
    """

    x: Samples
    epsilon: float

    @cached_property
    def _factor(self) -> np.ndarray:
        factor = np.asarray(second_moment_factor(self.x), np.float64)
        return factor / np.sqrt(self.x.shape[1])

    @cached_property
    def absolute_epsilon(self) -> float:
        """ε in the unit of the squared samples."""
        return self.epsilon * (float(np.square(self._factor).sum()) / self.x.shape[0] or 1.0)

    def lengths(self, w: np.ndarray) -> np.ndarray:
        """Return ρ (n_components,), the root of the mean square of each filter's responses f."""
        squares = np.square(w.astype(np.float64) @ self._factor).sum(axis=1)
        return np.sqrt(squares + self.absolute_epsilon)

    def value_and_gradient(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        """Compute F and ∇F at filters (n_components, n_features)."""
        epsilon, d = self.absolute_epsilon, (1 / self.lengths(w))[:, np.newaxis]
        per_block = Term(1 / self.x.shape[1], _network(epsilon, Multiply("d")), {"x": self.x})
        objective = Objective({"W": w.shape, "d": d.shape}, (per_block,))
        value, packed = objective.value_and_gradient(
            objective.pack({"W": w, "d": d.astype(w.dtype)})
        )
        gradients = objective.unpack(packed)
        slopes = -np.square(d) * gradients["d"]  # in ρ
        fixed = {"L": self._factor, "one": np.ones((1, self._factor.shape[1])), "v": slopes.T}
        through = Objective("T", (Term(1.0, _lengths(epsilon), fixed),))
        _, indirect = through.value_and_gradient(w.T.astype(np.float64))
        return value, gradients["W"] + indirect.T.astype(w.dtype)


def _lengths(epsilon: float) -> Network:
    """Return Σ vᵣ ρᵣ, of the filters in the columns of T = Wᵀ."""
    return Network(
        "T",
        [
            Layer(Parameter("L").T, Linear()),
            Layer(Parameter("one"), Square()),
            Layer(Identity(), Add(epsilon)),
            Layer(Identity(), Root()),
            Layer(None, Multiply("v")),
        ],
    )
