"""The tutorial's RICA exercise: 50 features of 9×9 patches, the rows of W of length one.

10,000 patches of unit norm after regularized whitening (ε = 1e-4), λ = 5e-4 beside half the
squared error (so α = 2λ here), √((Wx)² + 1e-2), 500 iterations of L-BFGS. The exercise draws its
patches from pictures of digits: give a folder of them with --images.
"""

from pathlib import Path

import numpy as np
import typer

from sparsebp import ReconstructionICA
from sparsebp.cli import Recipe, run_experiment
from sparsebp.preprocessing import Whitening, unit_norm


def main(
    images: Path | None = None,
    out: Path = Path("learned-rica-exercise"),
    n_patches: int = 10_000,
    max_iter: int = 500,
    seed: int = 0,
) -> None:
    """Learn the features; write their picture, the objective's curve and the model into OUT."""
    model = ReconstructionICA(
        50,
        alpha=2 * 5e-4,
        epsilon=1e-2,
        unit_norm=True,
        max_iter=max_iter,
        random_state=seed,
    )
    recipe = Recipe(patch_size=9, whiten=False)
    run_experiment(
        model, recipe, out, images=images, n_patches=n_patches, seed=seed, prepare=prepare
    )


def prepare(patches: np.ndarray) -> np.ndarray:
    """Whiten, then scale every patch to unit norm."""
    return unit_norm(Whitening("zca", regularization=1e-4).fit_transform(patches))


if __name__ == "__main__":
    typer.run(main)
