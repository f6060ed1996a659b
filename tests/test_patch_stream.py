import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array
from thinning import first_fast

from sparsebp import OrthonormalICA, PatchStream, SparseCoding, _lazy_images, patch_stream
from sparsebp.datasets import load_named_photographs, load_photographs
from sparsebp.preprocessing import remove_mean, sample_patches
from sparsebp.recipe import Recipe
from sparsebp.samples import ArraySamples, StoredSamples, is_store

RNG = np.random.default_rng(0)
#: Every pixel has a number of its own, so a patch tells where it was cut.
NUMBERED = [np.arange(30.0).reshape(5, 6), np.arange(30.0, 42).reshape(3, 4)]
TEXTURES = [RNG.normal(size=(20, 30)).cumsum(axis=1).astype(np.float32) for _ in range(3)]


@pytest.fixture
def short_blocks(monkeypatch):
    """Blocks of 16 rows, each from two images that are read again and again."""
    monkeypatch.setattr(patch_stream, "_SHORT_BLOCK", 16)
    monkeypatch.setattr(patch_stream, "_LARGE_BLOCK", 16 * 4 * 9)
    monkeypatch.setattr(patch_stream, "_FEW_VISITS", 2)
    monkeypatch.setattr(patch_stream, "_MANY_VISITS", 2)


@pytest.fixture
def folder(tmp_path):
    """Pages, stacks and pictures."""
    pages = [Image.fromarray(RNG.integers(0, 255, (9, 12), np.uint8)) for _ in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    Image.fromarray(RNG.integers(0, 255, (7, 11, 3), np.uint8)).save(tmp_path / "b.png")
    np.save(tmp_path / "c.npy", RNG.random((4, 8, 8)))
    np.savez(tmp_path / "d.npz", x=RNG.random((6, 6)), y=RNG.random((2, 9, 9)))
    deep = RNG.integers(0, 4096, (10, 10)).astype(np.uint16)
    deep[0, 0] = 4095
    np.save(tmp_path / "e.npy", deep)
    return tmp_path


def all_patches(images, sides):
    windows = [np.lib.stride_tricks.sliding_window_view(i, sides) for i in images]
    return np.concatenate([w.reshape(-1, w.shape[2] * w.shape[3]) for w in windows])


def test_a_row_is_the_same_however_it_is_read(short_blocks):
    stream = PatchStream(TEXTURES, 3, 50, min_contrast=0.5, random_state=0)
    assert (stream.shape, stream.chunks, stream.ndim, len(stream)) == ((50, 9), (16, 9), 2, 50)
    rows = np.asarray(stream)
    assert rows.dtype == np.float32
    for part in (slice(40, 47), slice(3, 20), slice(-4, None), slice(15, 33), slice(0, 0)):
        np.testing.assert_array_equal(stream[part], rows[part])
    for part in (slice(60, 70), slice(20, 10), slice(None, 1000), slice(-100, 5)):
        np.testing.assert_array_equal(stream[part], rows[part])
    np.testing.assert_array_equal([stream[i] for i in (0, -1, np.int64(17))], rows[[0, -1, 17]])
    np.testing.assert_array_equal(list(stream), rows)
    np.testing.assert_array_equal(check_array(stream), rows)
    assert np.asarray(stream, np.float64).dtype == np.float64
    stream[:20][:] = 0  # changes nothing but the copy
    np.testing.assert_array_equal(stream[:20], rows[:20])


def test_what_is_no_slice_of_rows_is_refused():
    stream = PatchStream(TEXTURES, 3, 50, random_state=0)
    with pytest.raises(ValueError, match="step of a slice of a stream must be 1, got 2"):
        stream[::2]
    with pytest.raises(ValueError, match="must be 1, got -1"):
        stream[::-1]
    for rows in (True, np.arange(3), [1, 2], (1, 2), None, 1.0, "a", ...):
        with pytest.raises(TypeError, match="rows of a stream must be a slice"):
            stream[rows]
    for row in (50, -51):
        with pytest.raises(IndexError, match="not among the 50 rows"):
            stream[row]
    with pytest.raises(ValueError, match="copy must be"):
        np.array(stream, copy=False)


def test_the_seed_decides():
    first, again, other = (PatchStream(TEXTURES, 3, 50, random_state=s)[:] for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    unseeded = PatchStream(TEXTURES, 3, 50)
    np.testing.assert_array_equal(unseeded[:9], pickle.loads(pickle.dumps(unseeded))[:9])


def test_every_position_is_equally_likely():
    stream = PatchStream(NUMBERED, 2, 20_000, random_state=0)
    corners = stream[:][:, 0]
    places = all_patches(NUMBERED, (2, 2))[:, 0]
    counts = (corners[:, np.newaxis] == places).sum(axis=0)
    assert counts.sum() == len(stream)
    expected = len(stream) / len(places)
    assert np.abs(counts - expected).max() < 4 * np.sqrt(expected)


def test_blocks_take_turns_through_all_images(short_blocks):
    """Image 1 has 6 of 26 positions; two visits give a block none, half, or all of its rows."""
    stream = PatchStream(NUMBERED, 2, 18_000, random_state=0)
    second = (stream[:][:, 0] >= 30).reshape(-1, stream.chunks[0])
    assert set(second.sum(axis=1)) == {0, 18}
    assert abs(second.mean() - 6 / 26) < 0.003
    assert np.abs(second.reshape(10, -1).mean(axis=1) - 6 / 26).max() < 0.02  # any stretch
    mixed = second[second.any(axis=1)]
    assert (mixed[:, 1:] != mixed[:, :-1]).mean() > 0.4  # rows are shuffled


def test_no_two_blocks_are_alike(short_blocks):
    stream = PatchStream(TEXTURES[:1], 3, 48, random_state=0)
    first, second, third = (stream[b : b + 16] for b in (0, 16, 32))
    assert (first != second).mean() > 0.5
    assert (second != third).mean() > 0.5


def test_patches_without_contrast_are_skipped_as_by_sample_patches():
    flat, half, busy = np.zeros((12, 12)), np.zeros((12, 12)), 10 * RNG.normal(size=(12, 12))
    half[:, 6:] = 10 * RNG.normal(size=(12, 6))
    images = [flat, half, busy]
    stream = PatchStream(images, 3, 30_000, min_contrast=0.5, random_state=0)[:]
    drawn = sample_patches(images, 3, 30_000, min_contrast=0.5, random_state=0)
    assert stream.std(axis=1).min() > 1
    np.testing.assert_allclose(stream.std(axis=1).mean(), drawn.std(axis=1).mean(), rtol=0.02)
    share = np.isin(stream[:, 4], busy[1:-1, 1:-1].astype(np.float32)).mean()
    oracle = np.isin(drawn[:, 4], busy[1:-1, 1:-1]).mean()
    assert abs(share - oracle) < 0.02
    with pytest.raises(ValueError, match=r"leaves only \d+ of \d+ patches"):
        PatchStream(images, 3, 10, min_contrast=10, random_state=0)
    with pytest.raises(ValueError, match="every patch is constant"):
        PatchStream([flat], 3, 10, min_contrast=0.5)


@pytest.mark.parametrize("color", [False, True])
def test_images_in_files_are_read_as_load_photographs_does(folder, color):
    with pytest.warns(UserWarning, match="12 bits"):
        images = load_photographs(folder, color=color, dtype=np.float32)
    with pytest.warns(UserWarning, match="12 bits"):
        stream = PatchStream(folder, (2, 3), 300, color=color, random_state=0)
    assert len(stream.images) == len(images) == 12
    assert stream.patch_shape == ((2, 3, 3) if color else (2, 3))
    for number in RNG.permutation(12):
        np.testing.assert_array_equal(stream.images[number], images[number])
    known = {patch.tobytes() for image in images for patch in _patches(image)}
    assert all(row.tobytes() in known for row in stream)


def _patches(image):
    height, width = image.shape[0] - 1, image.shape[1] - 2
    return [image[i : i + 2, j : j + 3].copy() for i in range(height) for j in range(width)]


def test_only_some_images_are_kept(folder, monkeypatch):
    (folder / "e.npy").unlink()
    monkeypatch.setattr(_lazy_images, "_KEPT", 4 * 3 * 9 * 12)
    stream = PatchStream(folder, 2, 50, random_state=0)
    np.testing.assert_array_equal(stream[:], pickle.loads(pickle.dumps(stream))[:])
    assert sum(image.nbytes for image in stream.images._kept.values()) <= 4 * 3 * 9 * 12
    assert 3 <= len(stream.images._kept) < 11
    assert not stream.images.are_kept
    assert len(pickle.dumps(stream)) < 6000


def test_images_are_read_once_if_they_are_kept(folder):
    read, (name, image) = count(), load_named_photographs(folder / "b.png").popitem()

    def prepare(image):
        next(read)
        return image

    stream = PatchStream([image, image], 2, 20_000, prepare_image=prepare)
    assert np.asarray(stream).shape == (20_000, 4)
    assert next(read) == 2
    assert name == "b.png"


def test_files_without_patches_are_named(tmp_path, folder):
    (folder / "e.npy").unlink()
    (folder / "bb.jpg").write_bytes((folder / "b.png").read_bytes()[:100])
    np.save(folder / "g.npy", np.ones((9, 9)))
    Image.fromarray(np.eye(2, dtype=np.uint8)).save(folder / "tiny.png")
    with pytest.warns(UserWarning, match="(?i)skipped") as caught:
        stream = PatchStream(folder, 3, 10)
    said = " ".join(str(warning.message) for warning in caught)
    assert "bb.jpg was skipped" in said
    assert "(constant): g.npy" in said
    assert "(smaller than a patch of 3×3 pixels): tiny.png" in said
    assert len(stream.images) == 11
    with pytest.raises(ValueError, match=r"No image can be used: tiny.png \(smaller"):
        PatchStream(folder / "tiny.png", 3, 10)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="has no files"):
        PatchStream(tmp_path / "empty", 3, 10)


def test_files_that_change_are_an_error(folder):
    (folder / "e.npy").unlink()
    stream = PatchStream(folder, 2, 100, random_state=0)
    moved = shutil.move(folder / "c.npy", folder / "f.npy")
    with pytest.raises(ValueError, match=r"c\.npy was changed or removed .*No such file.*restore"):
        stream[:]
    shutil.move(moved, folder / "c.npy")
    assert stream[:].shape == (100, 4)
    np.save(folder / "d.npz", np.zeros(3))
    np.savez(folder / "d.npz", x=RNG.random((6, 7)))
    with pytest.raises(ValueError, match=r"d\.npz was changed or removed .*size or its time"):
        pickle.loads(pickle.dumps(stream))[:]


def test_any_number_of_patches(short_blocks):
    assert PatchStream(NUMBERED, 2, 1, random_state=0)[:].shape == (1, 4)
    vast = PatchStream(NUMBERED, 2, 10**12, min_contrast=0.1, random_state=0)
    assert (len(vast), vast[10**12 - 3 :].shape, vast[5 * 10**11].shape) == (10**12, (3, 4), (4,))
    with pytest.raises(MemoryError, match="number of rows"):
        np.asarray(vast)
    one = PatchStream([np.arange(4.0).reshape(2, 2)], 2, 5, random_state=0)
    np.testing.assert_array_equal(one[:], np.tile(np.arange(4.0), (5, 1)))
    boxes = PatchStream([RNG.random((4, 9, 9))], (2, 3, 4), 7)
    assert (boxes[:].shape, boxes.patch_shape) == ((7, 24), (2, 3, 4))


def test_large_patches_come_in_small_blocks(short_blocks):
    stream = PatchStream([RNG.random((40, 40))], 30, 100, min_contrast=0.1, random_state=0)
    assert stream.chunks == (1, 30**2)
    assert stream[28:31].shape == (3, 30**2)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"images": []}, ValueError, "got none"),
        ({"images": 3}, TypeError, "int"),
        ({"images": ["nowhere/*.png"]}, ValueError, "cannot be found"),
        ({"images": [np.ones((2, 2)), "a.png"]}, ValueError, "must be an array of finite numbers"),
        ({"images": [np.ones((2, 2))]}, ValueError, "smaller than a patch"),
        ({"patch_shape": 0}, ValueError, "patch_shape"),
        ({"n_patches": 0}, ValueError, "n_patches"),
        ({"n_patches": 10.0}, TypeError, "n_patches"),
        ({"min_contrast": -1}, ValueError, "min_contrast"),
        ({"color": "yes"}, TypeError, "color must be True or False"),
        ({"prepare": 3}, TypeError, "prepare must be callable"),
        ({"prepare_image": "white"}, TypeError, "prepare_image must be callable"),
        ({"random_state": "a"}, TypeError, "random_state"),
    ],
)
def test_unusable_arguments_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        PatchStream(**{"images": TEXTURES, "patch_shape": 3, "n_patches": 9, **arguments})


def test_files_have_two_sides_and_the_colors_asked_for(folder):
    with pytest.raises(ValueError, match=r"must be \(height, width\)"):
        PatchStream(folder, (2, 3, 4), 9)
    with pytest.raises(ValueError, match=r"must be \(2, 3\) with color=False.*and color=True"):
        PatchStream(folder, (2, 3, 3), 9)


def test_preparations_keep_shapes():
    flipped = PatchStream(TEXTURES, 3, 9, prepare_image=np.negative, random_state=0)
    plain = PatchStream(TEXTURES, 3, 9, random_state=0)
    np.testing.assert_array_equal(flipped[:], -plain[:])
    centered = PatchStream(TEXTURES, 3, 9, prepare=remove_mean, random_state=0)
    np.testing.assert_array_equal(centered[:], remove_mean(plain[:]))
    with pytest.raises(ValueError, match=r"prepare_image must return.*got \(30, 20\)"):
        PatchStream(TEXTURES, 3, 9, prepare_image=np.transpose)[:]
    with pytest.raises(ValueError, match="prepare_image must return finite"):
        PatchStream(TEXTURES, 3, 9, prepare_image=lambda image: image * np.nan)[:]
    with pytest.raises(ValueError, match=r"prepare must return .*got \(9, 2\)"):
        PatchStream(TEXTURES, 3, 9, prepare=lambda rows: rows[:, :2])[:]


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int32, np.float16, np.float64])
def test_images_of_any_numbers_are_cut_as_by_sample_patches(dtype):
    images = [RNG.integers(0, 2, (9, 9)).astype(dtype)]
    rows = PatchStream(images, 2, 500, min_contrast=0.5, random_state=0)[:]
    drawn = sample_patches(images, 2, 500, min_contrast=0.5, random_state=0)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(np.unique(rows, axis=0), np.unique(drawn, axis=0))


def test_numbers_beyond_float32_are_refused():
    with pytest.raises(ValueError, match="within the range of float32, got 1e"):
        PatchStream([1e300 * NUMBERED[0] / 29], 2, 5)
    with pytest.raises(ValueError, match="prepare_image must return finite"):
        PatchStream(TEXTURES, 3, 5, prepare_image=lambda image: image * np.float64(1e300))[:]


def test_threads_read_the_same_rows(short_blocks):
    stream = PatchStream(TEXTURES, 3, 400, prepare_image=np.negative, random_state=0)
    rows = stream[:]
    firsts = RNG.integers(0, 380, 60)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda first: stream[first : first + 20], firsts))
    for first, part in zip(firsts, found, strict=True):
        np.testing.assert_array_equal(part, rows[first : first + 20])


def test_a_stream_is_a_store_of_samples(short_blocks):
    stream = PatchStream(TEXTURES, 3, 60, random_state=0)
    assert is_store(stream)
    samples, plain = StoredSamples(stream), ArraySamples(stream[:].T)
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples.block(10, 40), plain.block(10, 40))
    np.testing.assert_array_equal(samples.take(np.arange(0, 60, 7)), stream[:][::7].T)


@pytest.mark.parametrize("options", first_fast([{}, {"color": True}, {"equal_contrast": True}]))
def test_a_recipe_streams_what_it_draws(folder, options):
    images = [RNG.normal(size=(60, 80)).cumsum(axis=0).cumsum(axis=1) for _ in range(3)]
    for name, image in zip("xyz", images, strict=True):
        image -= image.min()
        Image.fromarray((255 * image / image.max()).astype(np.uint8)).save(folder / f"{name}.tiff")
    recipe, files = Recipe((3, 4), **options), [folder / f"{name}.tiff" for name in "xyz"]
    drawn, with_scale = recipe.draw(recipe.load(files), 8000, seed=0)
    stream, learned = recipe.draw_stream(files, 8000, seed=1)
    rows = stream[:]
    assert learned.scale == pytest.approx(with_scale.scale, rel=0.05)
    covariance, other = np.cov(drawn.T), np.cov(rows.T)
    assert np.linalg.norm(covariance - other) < 0.1 * np.linalg.norm(covariance)
    assert np.abs(rows.mean(axis=0) - drawn.mean(axis=0)).max() < 0.06
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stream))[3:50], rows[3:50])
    assert stream.sample().std() == pytest.approx(1, rel=1e-3)


def test_a_recipe_streams_the_bundled_photographs_and_finds_white_ones(tmp_path):
    stream, _ = Recipe(8, whiten=False).draw_stream(None, 100, seed=0)
    assert len(stream.images) == 2
    assert Recipe(8, whiten=False, scale=3.0).draw_stream(None, 100, seed=0)[1].scale == 3
    np.save(tmp_path / "white.npy", RNG.normal(size=(40, 40)))
    with pytest.warns(UserWarning, match="look already white"):
        Recipe(8).draw_stream(tmp_path, 100, seed=0)


def test_a_long_stream_offers_some_samples_without_being_read():
    stream = PatchStream(TEXTURES, 3, 10**11, random_state=0)
    samples = StoredSamples(stream)
    assert samples.is_drawn
    assert samples.take_evenly(100).shape == (9, 100)
    assert samples.take_evenly(10**6).shape[1] == 8192
    short = StoredSamples(PatchStream(TEXTURES, 3, 1000, random_state=0))
    assert not short.is_drawn
    np.testing.assert_array_equal(short.take_evenly(500), short.store[:][::2].T)


def test_estimators_learn_from_a_stream_as_from_its_array():
    stream = PatchStream(TEXTURES, 3, 3000, random_state=0)
    model = OrthonormalICA(whiten=0.99, max_iter=3, tol=0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="stopped after"):
        expected = clone(model).fit(np.asarray(stream)).components_
    with pytest.warns(ConvergenceWarning, match="stopped after"):
        np.testing.assert_array_equal(model.fit(stream).components_, expected)
    np.testing.assert_array_equal(model.transform(stream), model.transform(stream[:]))


@pytest.mark.slow
def test_a_fit_in_batches_reads_only_its_batches():
    stream = PatchStream(TEXTURES, 12, 10**9, prepare=remove_mean, random_state=0)
    model = SparseCoding(4, solver="online", max_iter=3, batch_size=50, random_state=0)
    model.fit(stream)  # all patches would take an hour
    assert model.n_iter_ == 3
    assert np.isfinite(model.score(stream[:100]))
    huge = PatchStream(TEXTURES, 12, 10**9, prepare_image=lambda image: image * np.float32(1e20))
    with pytest.raises(ValueError, match="powers overflow"):
        model.fit(huge)


def test_a_dask_array_holds_the_same_patches():
    pytest.importorskip("dask")
    stream = PatchStream([np.random.default_rng(0).random((20, 20))], 3, 10000, random_state=0)
    for n_rows, chunks in ((None, (10000,)), (4096, (4096, 4096, 1808))):
        patches = stream.to_dask(n_rows)
        assert (patches.chunks[0], patches.dtype) == (chunks, stream.dtype)
        np.testing.assert_array_equal(patches.compute(scheduler="sync"), stream[:])
    with pytest.raises(ValueError, match="n_rows"):
        stream.to_dask(0)
