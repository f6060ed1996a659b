"""How much memory `sparsebp encode` and `learn` take at their peak."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

resource = pytest.importorskip("resource")

COMMAND = """
import resource, sys
from sparsebp.cli import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
#: Bytes in the unit of ru_maxrss.
UNIT = 1 if sys.platform == "darwin" else 1024


def peak(folder, n_images, side):
    """Return the bytes that a process takes to encode some square images."""
    folder.mkdir()
    surface = np.random.default_rng(0).normal(size=(side, side)).cumsum(0).cumsum(1)
    pixels = (255 * (surface - surface.min()) / np.ptp(surface)).astype(np.uint8)
    for number in range(n_images):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    options = ["encode", "sparse-coding-8x8", "--images", folder, "--out", folder / "c.npz"]
    return peak_of(*options, "--stride", "40")


def peak_of(*options):
    """Return the bytes that a command takes."""
    command = [sys.executable, "-c", COMMAND, *map(str, options), "--quiet"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return UNIT * int(done.stdout)


@pytest.mark.slow
def test_the_peak_does_not_grow_with_the_number_of_images_and_little_with_their_size(tmp_path):
    one = peak(tmp_path / "one", 1, 400)
    many = peak(tmp_path / "many", 20, 400)
    large = peak(tmp_path / "large", 1, 1600)
    assert many - one < 20 * 400**2 * 2  # half of the images as float32
    # A pixel takes 4 bytes as float32, and whitening needs a few complex copies.
    assert large - one < 60 * (1600**2 - 400**2)


@pytest.mark.slow
def test_the_peak_does_not_grow_with_the_number_of_patches_drawn_while_learning(tmp_path):
    options = ["--patch-size", "16", "--solver", "online", "--max-iter", "12", "--batch-size"]
    options += ["500", "--n-components", "16"]

    def learn(n_patches):
        return peak_of("learn", *options, "--n-patches", n_patches, "--out", tmp_path / n_patches)

    few, many = learn("300000"), learn("30000000")  # of 1 kB
    assert many - few < 20e6
