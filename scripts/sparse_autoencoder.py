"""A sparse autoencoder, written as custom networks: x → σ(W x − b) → U σ(W x − b) − c.

Three networks share the parameters W, U, b and c; their gradients are added up, checked once on a
small problem, and used by SciPy's L-BFGS.
"""

from pathlib import Path

import numpy as np
import typer
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from sparsebp.cli import save_picture
from sparsebp.displays import BasisDisplay
from sparsebp.network import (
    Identity,
    Layer,
    Linear,
    Network,
    Parameter,
    Sigmoid,
    Square,
    Subtract,
    check_gradient,
    delta_table,
)
from sparsebp.problems import Objective, Term
from sparsebp.recipe import Recipe

HIDDEN = (Layer(Parameter("W"), Linear()), Layer(Identity(), Subtract("b", repeated=True)))
RECONSTRUCTION = Network(
    "x",
    [
        *HIDDEN,
        Layer(Parameter("U"), Sigmoid()),
        Layer(Identity(), Subtract("c", repeated=True)),
        Layer(Identity(), Subtract("x")),
        Layer(None, Square()),
    ],
)
#: The hidden activities are positive, so their sum is their L1 norm.
SPARSITY = Network("x", [*HIDDEN, Layer(None, Sigmoid())])
DECAY = [Network(name, [Layer(None, Square())]) for name in ("W", "U")]


def autoencoder(x: np.ndarray, n_hidden: int, sparsity: float, decay: float) -> Objective:
    """Return (1/m) [‖U σ(Wx − b) − c − x‖² + β Σ σ(Wx − b)] + λ (‖W‖² + ‖U‖²) of W, U, b, c."""
    n_features, n_samples = x.shape
    return Objective(
        {
            "W": (n_hidden, n_features),
            "U": (n_features, n_hidden),
            "b": (n_hidden, 1),
            "c": (n_features, 1),
        },
        [
            Term(1 / n_samples, RECONSTRUCTION, {"x": x}),
            Term(sparsity / n_samples, SPARSITY, {"x": x}),
            *(Term(decay, network) for network in DECAY),
        ],
    )


def start(objective: Objective, rng: np.random.Generator) -> np.ndarray:
    """Return small random weights and no biases."""
    scales = {"W": 0.1, "U": 0.1, "b": 0.0, "c": 0.0}
    shapes = dict(objective.free)
    return objective.pack({n: s * rng.standard_normal(shapes[n]) for n, s in scales.items()})


def main(
    images: Path | None = None,
    out: Path = Path("learned-sparse-autoencoder"),
    n_patches: int = 10_000,
    n_hidden: int = 64,
    max_iter: int = 400,
    seed: int = 0,
) -> None:
    """Learn the features; print their derivation and write their picture into OUT."""
    rng = np.random.default_rng(seed)
    toy = autoencoder(rng.standard_normal((5, 7)), 3, sparsity=0.5, decay=0.1)
    error = check_gradient(toy.value_and_gradient, rng.standard_normal(start(toy, rng).size))
    print(delta_table(SPARSITY))
    print(f"\nThe gradient agrees with a complex step to {error:.1e}.")

    recipe = Recipe(patch_size=8)
    samples, _ = recipe.draw(recipe.load(images), n_patches, seed)
    objective = autoencoder(samples.T, n_hidden, sparsity=4.0, decay=3e-3)
    with threadpool_limits(1, user_api="blas"):  # NumPy's and SciPy's threads would compete
        found = minimize(
            objective.value_and_gradient,
            start(objective, rng),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": max_iter},
        )
    out.mkdir(parents=True, exist_ok=True)
    features = objective.unpack(found.x)["U"].T
    save_picture(BasisDisplay(features, recipe.patch_shape), out / "features.png")
    print(f"objective {found.fun:.4g} after {found.nit} iterations; features.png is in {out}")


if __name__ == "__main__":
    typer.run(main)
