import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photographs(tmp_path):
    """A folder of two small pictures."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("one.png", "two.png"):
        pixels = rng.normal(size=(40, 50, 3)).cumsum(axis=1).cumsum(axis=0) * 4 + 128
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
    return folder


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch):
    monkeypatch.setattr("sparsebp.cli.learning.PICTURE_DPI", 40)
