"""A sparse autoencoder, written as networks of one's own: x → σ(W x − b) → U σ(W x − b) − c.

The engine knows nothing of autoencoders. Three networks share the parameters W, U, b and c; their
gradients add up, are checked once at a small point, and go to SciPy's L-BFGS.
"""

from pathlib import Path

import numpy as np
import typer
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from sparsebp.cli import Recipe, save_picture
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
    simplified,
    value_and_gradients,
)

HIDDEN = (Layer(Parameter("W"), Linear()), Layer(Identity(), Subtract("b")))
RECONSTRUCTION = Network(
    "x",
    [
        *HIDDEN,
        Layer(Parameter("U"), Sigmoid()),
        Layer(Identity(), Subtract("c")),
        Layer(Identity(), Subtract("x")),
        Layer(None, Square()),
    ],
)
#: The hidden activities are positive, so their sum is their L1 norm.
SPARSITY = Network("x", [*HIDDEN, Layer(None, Sigmoid())])
DECAY = {name: Network(name, [Layer(None, Square())]) for name in ("W", "U")}


class Autoencoder:
    """(1/m) [‖U σ(Wx − b) − c − x‖² + β Σ σ(Wx − b)] + λ (‖W‖² + ‖U‖²) of one flat vector."""

    def __init__(self, x: np.ndarray, n_hidden: int, sparsity: float, decay: float) -> None:
        n_features = x.shape[0]
        self.x = x
        self.shapes = {"W": (n_hidden, n_features), "U": (n_features, n_hidden)}
        self.shapes |= {"b": (n_hidden, 1), "c": (n_features, 1)}
        self.terms = [
            (1 / x.shape[1], simplified(RECONSTRUCTION)),
            (sparsity / x.shape[1], simplified(SPARSITY)),
            *((decay, simplified(network)) for network in DECAY.values()),
        ]

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Return small random weights and no biases."""
        scales = {"W": 0.1, "U": 0.1, "b": 0, "c": 0}
        parts = [scales[n] * rng.standard_normal(shape) for n, shape in self.shapes.items()]
        return np.concatenate([part.ravel() for part in parts])

    def unpacked(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Return the parameters by name."""
        ends = np.cumsum([np.prod(shape) for shape in self.shapes.values()])
        parts = np.split(flat, ends[:-1])
        return {n: p.reshape(s) for (n, s), p in zip(self.shapes.items(), parts, strict=True)}

    def value_and_gradient(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """Add up the networks' values, and the gradients of the parameters they have."""
        variables = {**self.unpacked(flat), "x": self.x}
        value = 0.0
        total = {name: np.zeros(shape, dtype=flat.dtype) for name, shape in self.shapes.items()}
        for weight, network in self.terms:
            own = [name for name in self.shapes if name in network.names]
            part, gradients = value_and_gradients(network, variables, own)
            value += weight * part
            for name in own:
                total[name] += weight * gradients[name]
        return value, np.concatenate([total[name].ravel() for name in self.shapes])


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
    toy = Autoencoder(rng.standard_normal((5, 7)), 3, sparsity=0.5, decay=0.1)
    error = check_gradient(toy.value_and_gradient, rng.standard_normal(toy.start(rng).size))
    print(delta_table(SPARSITY))
    print("(b has one column for all samples, so its gradient is summed over them.)")
    print(f"\nThe gradient agrees with a complex step to {error:.1e}.")

    recipe = Recipe(patch_size=8)
    samples, _ = recipe.draw(recipe.load(images), n_patches, seed)
    model = Autoencoder(samples.T, n_hidden, sparsity=4.0, decay=3e-3)
    with threadpool_limits(1, user_api="blas"):  # NumPy's and SciPy's threads would fight
        found = minimize(
            model.value_and_gradient,
            model.start(rng),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": max_iter},
        )
    out.mkdir(parents=True, exist_ok=True)
    features = model.unpacked(found.x)["U"].T
    save_picture(BasisDisplay(features, recipe.patch_shape), out / "features.png")
    print(f"objective {found.fun:.4g} after {found.nit} iterations; features.png is in {out}")


if __name__ == "__main__":
    typer.run(main)
