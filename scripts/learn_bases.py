"""Learn the bases shipped with the package, for `sparsebp.load_basis`, and draw them.

    python scripts/learn_bases.py --out sparsebp/bases --picture docs/bases.png

takes about five minutes. Bases are learned in float64 and stored in float32.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import typer
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sparsebp import __version__, save_model
from sparsebp.cli.models import Estimator, Model, make_estimator, make_recipe
from sparsebp.cli.output import Output
from sparsebp.datasets import make_dead_leaves
from sparsebp.displays import BasisDisplay

SEED = 0
LEAVES = "8 dead leaves of 384×384 pixels, min_radius=4"
_ONLINE = {"solver": "online", "penalty": "l1", "batch_size": 256}


@dataclass(frozen=True)
class Learning:
    """How a basis is learned: the options of `sparsebp learn`, and from which images."""

    model: Model
    patch_size: int
    n_patches: int = 50_000
    leaves: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def shortened(self, n_patches: int | None, max_iter: int | None) -> Self:
        """Return the same with fewer patches or iterations, if given."""
        options = self.options | ({"max_iter": max_iter} if max_iter else {})
        return replace(self, n_patches=n_patches or self.n_patches, options=options)


BASES = {
    "sparse-coding-8x8": Learning(Model.SPARSE_CODING, 8, 20_000),
    "sparse-coding-12x12": Learning(Model.SPARSE_CODING, 12, options=_ONLINE | {"max_iter": 1500}),
    "topographic-10x10": Learning(
        Model.TOPOGRAPHIC, 10, options={"batch_size": 2000, "max_iter": 100}
    ),
    "rica-12x12": Learning(Model.RICA, 12, options={"n_components": 64}),
    "ica-10x10": Learning(Model.ICA, 10, options={"n_components": 81}),
    "dead-leaves-10x10": Learning(
        Model.SPARSE_CODING,
        10,
        leaves=True,
        options=_ONLINE | {"n_components": 100, "max_iter": 1000},
    ),
}


def main(
    out: Path = Path("learned-bases"),
    picture: Path | None = None,
    n_patches: int | None = None,
    max_iter: int | None = None,
) -> None:
    """Learn every basis; write NAME.npz for each into OUT, and one picture, OUT/bases.png."""
    out.mkdir(parents=True, exist_ok=True)
    learned = {}
    for name in Output().track(BASES, "learning bases"):
        learned[name], metadata = learn(BASES[name].shortened(n_patches, max_iter))
        save_model(learned[name], out / f"{name}.npz", metadata=metadata)
    draw(learned, picture or out / "bases.png")
    size = sum((out / f"{name}.npz").stat().st_size for name in BASES)
    print(f"saved {', '.join(BASES)} in {out}, {size / 1000:.0f} kB together")


def learn(how: Learning) -> tuple[Estimator, dict[str, Any]]:
    """Learn a basis; return it, and how it was learned."""
    options = {"n_components": None, **how.options}
    estimator = make_estimator(how.model, random_state=SEED, **options)
    recipe = make_recipe(how.model, how.patch_size, color=False)
    images = recipe.ready(dead_leaves()) if how.leaves else recipe.load(None)
    samples, recipe = recipe.draw(images, how.n_patches, SEED)
    in_single_precision(estimator.fit(samples))
    metadata = {"version": __version__, "seed": SEED, "n_patches": how.n_patches}
    metadata |= {"images": LEAVES if how.leaves else "bundled", "patch_shape": recipe.patch_shape}
    return estimator, metadata | {"command": command(how), "recipe": recipe.metadata()}


def dead_leaves() -> dict[str, np.ndarray]:
    """Draw dead leaves, which have the statistics of natural images."""
    drawn = make_dead_leaves(8, (384, 384), min_radius=4.0, random_state=SEED)
    return {str(number): image for number, image in enumerate(drawn)}


def in_single_precision(estimator: Estimator) -> None:
    """Convert every array of a fitted estimator to float32, and drop the running sums."""
    vars(estimator).pop("state_", None)  # they are three times as large as the atoms
    for name, value in vars(estimator).items():
        if isinstance(value, np.ndarray):
            setattr(estimator, name, value.astype(np.float32))


def command(how: Learning) -> str:
    """Return the command that learns the same basis in float64."""
    if how.leaves:
        return "python scripts/learn_bases.py"
    options = {"patch_size": how.patch_size, "n_patches": how.n_patches, **how.options}
    words = [f"--{name.replace('_', '-')} {value}" for name, value in options.items()]
    return " ".join(["sparsebp learn --model", how.model.value, *words, f"--seed {SEED}"])


def draw(learned: dict[str, Estimator], path: Path) -> None:
    """Write one picture of all bases."""
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3).ravel()
    for ax, (name, estimator) in zip(axes, learned.items(), strict=True):
        BasisDisplay.from_estimator(estimator).plot(ax=ax)
        ax.set_title(name, fontsize=10)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    typer.run(main)
