"""Sparse filtering: responses normalized by filter, then by sample, and summed."""

from __future__ import annotations

from sparsebp.network import (
    Add,
    Identity,
    Layer,
    Linear,
    Network,
    NormalizeColumns,
    NormalizeRows,
    Parameter,
    Root,
    Square,
)
from sparsebp.problems.constraints import UnitRows
from sparsebp.problems.problem import Part, Problem


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
    inner = (Square(), Add(epsilon), Root(), NormalizeRows())
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
        a row's length is taken over all of them.
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
