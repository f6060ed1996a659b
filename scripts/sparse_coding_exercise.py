"""The tutorial's sparse coding exercise: a topographic map of 121 features.

20,000 patches of 8×8 pixels, 3×3 groups on an 11×11 torus, batches of 2000, λ = 5e-5 on sums over
a batch of which only the data term is divided by the batch size: 0.1 a patch. The images of the
exercise have variance 0.1.

The exercise replaces the norm constraint by weight decay, γ = 1e-2. At the minimum over the
coefficients a third of the atoms stay in use and the others shrink to zero: --as-printed uses it
(see docs/errata.md). By default every atom has unit norm.
"""

from pathlib import Path

import typer

from sparsebp import SparseCoding
from sparsebp.cli import run_experiment
from sparsebp.penalties import Topographic
from sparsebp.recipe import Recipe


def main(
    images: Path | None = None,
    out: Path = Path("learned-sparse-coding-exercise"),
    n_patches: int = 20_000,
    max_iter: int = 200,
    seed: int = 0,
    as_printed: bool = False,
) -> None:
    """Learn the map; write its picture, the objective's curve and the model into OUT."""
    model = SparseCoding(
        121,
        penalty=Topographic((11, 11), neighborhood=3, wrap=True, epsilon=1e-5),
        alpha=5e-5 * 2000,
        gamma=1e-2 if as_printed else None,
        solver="exact" if as_printed else "lbfgs",
        batch_size=2000,
        max_iter=max_iter,
        random_state=seed,
    )
    recipe = Recipe(patch_size=8, min_contrast=0.0, variance=0.1)
    run_experiment(model, recipe, out, images=images, n_patches=n_patches, seed=seed)


if __name__ == "__main__":
    typer.run(main)
