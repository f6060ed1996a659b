"""The tutorial's exercises give the tutorial's pictures: living, Gabor-like features."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sparsebp import load_model
from sparsebp.metrics import gabor_fit, topography_index

ROOT = Path(__file__).parents[1]


def learned(script, out, *options):
    """What an exercise's script learns at a reduced size."""
    command = [sys.executable, "-W", "ignore", str(ROOT / "scripts" / script), "--out", str(out)]
    subprocess.run([*command, *options], check=True, capture_output=True, timeout=600)
    return load_model(out / "model.npz")


def living(model):
    lengths = np.linalg.norm(model.components_, axis=1)
    return lengths > 0.01 * lengths.max()


@pytest.mark.slow
def test_digits_give_strokes(tmp_path):
    options = ("--n-patches", "2000")
    model = learned("rica_exercise.py", tmp_path / "default", *options)
    printed = learned("rica_exercise.py", tmp_path / "printed", *options, "--as-printed")
    found, noise = (gabor_fit(m.components_, (9, 9)).r_squared for m in (model, printed))
    assert living(model).all()
    assert np.median(found) > 0.85
    assert (found > 0.5).mean() > 0.9
    assert np.median(noise) < np.median(found) - 0.1
    assert (tmp_path / "default" / "strokes.png").exists()


@pytest.mark.slow
def test_photographs_give_an_ordered_map(tmp_path):
    model = learned("sparse_coding_exercise.py", tmp_path / "default", "--max-iter", "25")
    fit = gabor_fit(model.components_, (8, 8))
    assert living(model).all()
    assert np.median(fit.r_squared) > 0.7
    index = topography_index(fit, (11, 11))
    assert index.orientation < 0.75
    assert index.phase > 0.9


@pytest.mark.slow
def test_the_printed_weight_decay_lets_atoms_die(tmp_path):
    options = ("--max-iter", "12", "--as-printed")
    model = learned("sparse_coding_exercise.py", tmp_path / "printed", *options)
    assert living(model).sum() < 60


@pytest.mark.slow
def test_learned_filters_classify_digits_better_than_random_ones(tmp_path):
    command = [sys.executable, "-W", "ignore", str(ROOT / "scripts" / "self_taught_exercise.py")]
    done = subprocess.run(
        [*command, "--n-patches", "3000", "--out", str(tmp_path)], check=True, capture_output=True
    )
    learned, random = (float(number) for number in re.findall(rb"[\d.]+(?= %)", done.stdout))
    assert learned > random + 0.5
    assert learned > 95
    assert (tmp_path / "features.png").stat().st_size
