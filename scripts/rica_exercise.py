"""The tutorial's RICA exercise: 50 features of 9×9 patches of digits, with unit-norm rows of W.

10,000 patches of unit norm after regularized whitening (ε = 1e-4), √((Wx)² + 1e-2), 500 iterations
of L-BFGS. The exercise prints λ = 5e-4 with half the squared error, which is too small for 500
iterations: --as-printed uses it (see docs/errata.md). The default is 0.05, the weight of the
program that the authors of RICA published.

The digits are those of scikit-learn, enlarged; give a folder of others with --images.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import typer
from scipy.ndimage import zoom
from sklearn.datasets import load_digits

from sparsebp import ReconstructionICA
from sparsebp.cli import run_experiment, save_picture
from sparsebp.displays import BasisDisplay
from sparsebp.preprocessing import Whitening, unit_norm
from sparsebp.recipe import Recipe
from sparsebp.report import Track, no_progress

#: λ, for half the squared error, so α = 2λ.
WEIGHT, PRINTED_WEIGHT = 0.05, 5e-4
ENLARGED = 3


@dataclass(frozen=True)
class DigitsRecipe(Recipe):
    """A recipe whose bundled images are digits."""

    def load(
        self,
        images: str | PathLike[str] | Iterable[str | PathLike[str]] | None,
        track: Track = no_progress,
    ) -> dict[str, np.ndarray]:
        """Load the given images, or scikit-learn's digits, enlarged."""
        if images is not None:
            return super().load(images, track)
        digits = np.pad(load_digits().images / 16, ((0, 0), (1, 1), (1, 1)))
        enlarged = np.clip(zoom(digits, (1, ENLARGED, ENLARGED), order=3), 0, 1)
        return {str(number): digit for number, digit in enumerate(enlarged)}


def main(
    images: Path | None = None,
    out: Path = Path("learned-rica-exercise"),
    n_patches: int = 10_000,
    max_iter: int = 500,
    seed: int = 0,
    as_printed: bool = False,
) -> None:
    """Learn the features; write their pictures, the objective's curve and the model into OUT."""
    model = ReconstructionICA(
        50,
        alpha=2 * (PRINTED_WEIGHT if as_printed else WEIGHT),
        epsilon=1e-2,
        unit_norm=True,
        max_iter=max_iter,
        tol=0.0 if as_printed else 1e-6,  # the exercise makes all its iterations
        random_state=seed,
    )
    recipe = DigitsRecipe(patch_size=9, min_contrast=0.0, whiten=False)
    whitening = Whitening("zca", regularization=1e-4)

    def prepare(patches: np.ndarray) -> np.ndarray:
        return unit_norm(whitening.fit_transform(patches))

    run_experiment(
        model, recipe, out, images=images, n_patches=n_patches, seed=seed, prepare=prepare
    )
    # What a response adds to an unwhitened patch, with bright ink: signs are arbitrary.
    strokes = whitening.inverse_transform(model.components_) - whitening.mean_
    strokes *= np.sign(strokes.max(axis=1) + strokes.min(axis=1))[:, np.newaxis]
    save_picture(BasisDisplay(strokes, recipe.patch_shape), out / "strokes.png")


if __name__ == "__main__":
    typer.run(main)
