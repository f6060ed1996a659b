import json

import numpy as np
import pytest

from sparsebp.recipe import Recipe

IMAGES = {"a": np.random.default_rng(0).random((30, 40)) * np.linspace(0.1, 1, 40)}


@pytest.mark.parametrize("equal_contrast", [False, True])
def test_a_cut_patch_is_prepared_as_a_drawn_one(equal_contrast):
    recipe = Recipe(5, whiten=False, min_contrast=0, equal_contrast=equal_contrast)
    drawn, recipe = recipe.draw(IMAGES, 20, seed=0)
    windows = np.lib.stride_tricks.sliding_window_view(IMAGES["a"], (5, 5))
    cut = recipe.prepare(windows.reshape(-1, 25))
    for patch in drawn:
        assert np.abs(cut - patch).max(axis=1).min() < 1e-12


def test_patches_of_equal_contrast_have_it():
    recipe = Recipe(5, whiten=False, min_contrast=0, equal_contrast=True)
    contrasts = recipe.draw(IMAGES, 50, seed=0)[0].std(axis=1)
    assert contrasts.max() < 1.1 * contrasts.min()
    contrasts = Recipe(5, whiten=False, min_contrast=0).draw(IMAGES, 50, seed=0)[0].std(axis=1)
    assert contrasts.max() > 2 * contrasts.min()


def test_the_recipe_says_how_patches_are_prepared():
    words = Recipe(whiten=False, equal_contrast=True, scale=2.5).describe()
    assert "whitened" not in words
    assert words.endswith("means removed, divided by their contrast, multiplied by 2.5")
    assert Recipe(color=True).describe().startswith("images whitened")
    assert "means" not in Recipe(color=True).describe()
    assert "skipped (below 0.5 of the mean)" in Recipe().describe()
    assert "skipped" not in Recipe(min_contrast=0).describe()


def test_metadata_brings_the_recipe_back():
    recipe = Recipe(6, equal_contrast=True, scale=2.0)
    assert Recipe.from_metadata({"recipe": recipe.metadata()}) == recipe
    wide = Recipe((4, 16), scale=2.0)
    read = Recipe.from_metadata(json.loads(json.dumps({"recipe": wide.metadata()})))
    assert read == wide
    assert hash(read) == hash(wide)
    with pytest.raises(ValueError, match="without its recipe"):
        Recipe.from_metadata({})


@pytest.mark.parametrize(
    "hostile",
    [
        *(3, "text", [], None, {"unknown": 1}),
        *(
            {"patch_size": size}
            for size in ("x", 0, -8, 8.0, True, None, [8], [8, 0], [8, "8"], {})
        ),
        *({name: 1} for name in ("color", "whiten", "equal_contrast")),
        *({"min_contrast": value} for value in (-1, "0", None, float("nan"))),
        *({"variance": value} for value in (0, -1, float("inf"), "1")),
        *({"scale": value} for value in (0, -1, float("nan"), "1", [])),
    ],
    ids=str,
)
def test_a_damaged_recipe_is_refused(hostile):
    with pytest.raises(ValueError, match=r"recipe.* is damaged \(.*learn it with"):
        Recipe.from_metadata({"recipe": hostile})


def test_images_are_streamed_one_at_a_time(tmp_path):
    for name in ("a", "b", "c"):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(0).random((20, 20)))
    recipe = Recipe(whiten=False)
    loaded = recipe.load(tmp_path)
    stream = recipe.stream(tmp_path)
    found = [next(stream), next(stream)]
    (tmp_path / "c.npy").unlink()
    with pytest.warns(UserWarning, match=r"c.npy was skipped"):
        assert not list(stream)
    for name, image in found:
        np.testing.assert_array_equal(image, loaded[name])
