"""The objective of sparse filtering: responses of unit length by rows, then by columns, summed."""

from __future__ import annotations

import numpy as np

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
from sparsebp.objectives.objective import Objective, Term


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


def sparse_filtering_objective(x: np.ndarray, epsilon: float, *, scale: float = 1.0) -> Objective:
    """Return scale · Σ of the normalized responses, which sparse filtering minimises.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns, all at once: a row's length is taken over all of them.
    epsilon : float
        ε > 0.
    scale : float
        1/n_samples for the mean over the samples, 1 for the paper's sum.

    Returns
    -------
    objective : Objective
        In the free matrix W (n_components, n_features).
    """
    return Objective("W", (Term(scale, sparse_filtering_network(epsilon), {"x": x}),))
