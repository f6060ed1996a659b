"""Convolutional sparse coding: whole images as sums of few atoms, each at any place."""

from __future__ import annotations

from collections.abc import Sequence

from sparsebp.network import (
    Convolution,
    Identity,
    Layer,
    Linear,
    Multiply,
    Network,
    Square,
    Subtract,
)
from sparsebp.penalties import Penalty
from sparsebp.problems.constraints import UnitColumns
from sparsebp.problems.problem import Part, Problem
from sparsebp.problems.sparse_coding import require_bounded


def convolutional_sparse_coding(
    penalty: Penalty,
    alpha: float,
    patch_shape: Sequence[int],
    image_shape: Sequence[int],
    *,
    masked: bool = False,
) -> Problem:
    """Return F(A, s) = ‖A ∗ s − x‖² + α S(s) of an image, divided by its number of pixels.

    Parameters
    ----------
    penalty : Penalty
        S; one that groups coefficients groups those of all atoms at one place.
    alpha : float
        α ≥ 0. (Twice the λ of ½‖A ∗ s − x‖² + λ ‖s‖₁.)
    patch_shape : sequence of int
        (height, width) of the atoms, or (height, width, n_channels).
    image_shape : sequence of int
        (height, width) of the image.
    masked : bool
        Whether a matrix M of the shape of x says which pixels are known: 1 where x is known, 0
        where it is missing and A ∗ s − x does not count.

    Returns
    -------
    problem : Problem
        In the atoms A (n_features, n_components), which have unit norm, and the maps s
        (n_components, n_places), of an image x (n_channels, n_pixels).

    Raises
    ------
    ValueError
        If the penalty is `Signed`: F would be unbounded below.

    Notes
    -----
    The maps are those of `Convolution`: nothing wraps around. Heide, Heidrich & Wetzstein (2015),
    *Fast and flexible convolutional sparse coding*, with masked boundaries.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.penalties import L1
    >>> problem = convolutional_sparse_coding(L1(), 0.5, (1, 2), (1, 2))
    >>> A, s, x = np.array([[0.6], [0.8]]), np.array([[0.0, 5.0, 0.0]]), np.array([[3.0, 2.0]])
    >>> problem.value({"x": x, "A": A, "s": s})  # (2² + 0.5 · 5) / 2
    3.25
    """
    require_bounded(penalty)
    weight = Convolution(
        "A",
        patch_shape=tuple(patch_shape),
        image_shape=tuple(image_shape),  # type: ignore[arg-type]  # checked there
    )
    layers = [Layer(weight, Linear()), Layer(Identity(), Subtract("x"))]
    if masked:
        layers.append(Layer(Identity(), Multiply("M")))
    formula = r"\| M \circ (A \ast s - x) \|^2" if masked else r"\| A \ast s - x \|^2"
    parts = (
        Part(formula, Network("s", [*layers, Layer(None, Square())])),
        Part("S(s)", penalty.network(), float(alpha), r"\alpha"),
    )
    return Problem(
        free=("A", "s"),
        parts=parts,
        constraint=UnitColumns,
        values={r"\alpha": float(alpha)},
        meanings={
            "x": "an image, a pixel in each column",
            "A": "the atoms, a flattened patch in each column",
            "s": "the maps, one for each atom in rows, with a column for each place",
        },
    ).with_penalty(penalty)
