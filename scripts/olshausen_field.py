"""Olshausen & Field's experiment: 192 functions of 16×16 patches of whitened images.

Σ log(1 + s²) for the sparsity (Nature 381:607–609, 1996). The paper reports coefficients of
kurtosis about 20 (7 for random functions) and of entropy 4.0 bits (4.6), both at a reconstruction
error of a tenth of the variance; the script finds the α with that error for each basis.

Learned online from small batches, which takes about three minutes on one core. Ctrl-C and SIGTERM
end the fit and keep the current functions.
"""

from pathlib import Path

import numpy as np
import typer

from sparsebp import SparseCoding
from sparsebp.cli import run_experiment
from sparsebp.coding import encode
from sparsebp.metrics import coefficient_entropy, coefficient_kurtosis
from sparsebp.penalties import Cauchy
from sparsebp.recipe import Recipe

ERROR = 0.1
#: Bins of the coefficients' histogram: a quarter of the standard deviation of a pixel.
STEP = 0.25
#: Patches whose coefficients are compared.
N_COMPARED = 1000


def main(
    images: Path | None = None,
    out: Path = Path("learned-olshausen-field"),
    n_patches: int = 50_000,
    max_iter: int = 2000,
    seed: int = 0,
) -> None:
    """Learn the functions; write them into OUT, and compare them with random ones."""
    model = SparseCoding(
        192,
        penalty=Cauchy(),
        alpha=2.0,
        solver="online",
        batch_size=256,
        max_iter=max_iter,
        random_state=seed,
    )
    recipe = Recipe(patch_size=16, min_contrast=0.0)
    samples = run_experiment(model, recipe, out, images=images, n_patches=n_patches, seed=seed)
    learned = model.components_ / np.linalg.norm(model.components_, axis=1, keepdims=True)
    # Random mixtures of patches: white noise would leave out a quarter of the patches' variance.
    random = np.random.default_rng(seed).standard_normal((len(learned), len(samples))) @ samples
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    for name, atoms in (("learned", learned), ("random", random)):
        codes, error = codes_at_error(samples[:N_COMPARED].T, atoms.T)
        print(
            f"{name:8} functions: kurtosis {coefficient_kurtosis(codes):.1f}, "
            f"entropy {coefficient_entropy(codes, step=STEP):.2f} bits, "
            f"error {error:.3f} of the variance"
        )


def codes_at_error(x: np.ndarray, basis: np.ndarray) -> tuple[np.ndarray, float]:
    """Find the codes whose reconstruction error is a tenth of the variance, by bisection on α."""
    low, high = -4.0, 3.0
    codes, error = np.empty((0, 0)), np.inf
    for _ in range(12):
        middle = (low + high) / 2
        codes = encode(x, basis, Cauchy(), 10**middle, tol=1e-4).points
        error = float(((x - basis @ codes) ** 2).sum() / (x**2).sum())
        low, high = (middle, high) if error < ERROR else (low, middle)
    return codes.T, error


if __name__ == "__main__":
    typer.run(main)
