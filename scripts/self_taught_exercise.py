"""The tutorial's exercise on self-taught learning: filters of digits 5 to 9 classify digits 0 to 4.

16 filters of 9×9 patches are learned from digits 5 to 9 by reconstruction ICA; digits 0 to 4 are
classified by their pooled responses. Random filters are the control.

The digits are those of scikit-learn, enlarged. They are easier than the exercise's, whose half
would leave no errors: five of each digit are for training, in 20 draws.
"""

from pathlib import Path

import numpy as np
import typer
from rica_exercise import WEIGHT, DigitsRecipe
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.random_projection import GaussianRandomProjection

from sparsebp import ReconstructionICA
from sparsebp.cli import save_picture
from sparsebp.displays import BasisDisplay
from sparsebp.images import PooledFeatures


def main(
    n_patches: int = 20_000,
    max_iter: int = 500,
    seed: int = 0,
    out: Path = Path("learned-self-taught-exercise"),
) -> None:
    """Print accuracies on digits 0 to 4; write the learned features' picture into OUT."""
    images = np.stack(list(DigitsRecipe().load(None).values()))
    labels = load_digits().target
    known = labels < 5
    draws = StratifiedShuffleSplit(20, train_size=25, random_state=seed)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    models = {
        "learned": ReconstructionICA(16, alpha=2 * WEIGHT, max_iter=max_iter, tol=1e-5),
        "random": GaussianRandomProjection(16),
    }
    for name, model in models.items():
        pooled = PooledFeatures(
            model, patch_shape=9, pooling="rms", grid=4, n_patches=n_patches, random_state=seed
        ).fit(images[~known])
        features = pooled.transform(images[known])
        accuracy = cross_val_score(classifier, features, labels[known], cv=draws).mean()
        print(f"{name} filters: {100 * accuracy:.1f} %")
        if name == "learned":
            out.mkdir(parents=True, exist_ok=True)
            save_picture(BasisDisplay.from_estimator(pooled), out / "features.png")


if __name__ == "__main__":
    typer.run(main)
