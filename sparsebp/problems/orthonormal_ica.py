"""Orthonormal ICA: the sparsest orthonormal filters of white samples."""

from __future__ import annotations

from sparsebp.network import Layer, Linear, Network, Parameter
from sparsebp.penalties import Penalty
from sparsebp.problems.constraints import OrthonormalRows
from sparsebp.problems.problem import Part, Problem

_FILTER = (Layer(Parameter("W"), Linear()),)

#: Meanings of the symbols of both kinds of ICA.
FILTER_MEANINGS = {
    "x_j": "sample number j of m, a column of x",
    "W": "the filters in rows",
}


def sparsity_network(penalty: Penalty) -> Network:
    """Return S(Wx) as a network: the penalty's layers after the filters.

    Parameters
    ----------
    penalty : Penalty
        S.

    Returns
    -------
    network : Network
        With the input x and the weight W.
    """
    return penalty.network(behind=_FILTER, input="x")


def orthonormal_ica(penalty: Penalty) -> Problem:
    """Return F(W) = (1/m) Σⱼ S(W xⱼ) subject to WWᵀ = I.

    Parameters
    ----------
    penalty : Penalty
        S; `Topographic` makes it topographic ICA.

    Returns
    -------
    problem : Problem
        In the filters W (n_components, n_features).
    """
    return Problem(
        free=("W",),
        parts=(Part(r"\sum_j S(W x_j)", sparsity_network(penalty)),),
        constraint=OrthonormalRows,
        meanings=FILTER_MEANINGS,
    ).with_penalty(penalty)
