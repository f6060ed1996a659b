"""A command line small enough for tests, and what it is run on."""

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from sparsebp.cli.app import app

SMALL = ["--n-patches", "120", "--patch-size", "4", "--max-iter", "3"]
TOY = [*SMALL, "--n-components", "5"]


def run(*arguments):
    """Run `sparsebp` here, without a process of its own."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write_photographs(folder):
    """Make a folder of two small pictures."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("one.png", "two.png"):
        pixels = rng.normal(size=(40, 50, 3)).cumsum(axis=1).cumsum(axis=0) * 4 + 128
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
    return folder
