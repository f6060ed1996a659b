import numpy as np
import pytest

from sparsebp.images._patches import Patches


@pytest.mark.parametrize(("shape", "sides"), [((7, 9, 2), (3, 2)), ((4, 5, 6, 1), (2, 3, 2))])
def test_some_patches_are_averaged_as_pixel_by_pixel(monkeypatch, shape, sides):
    rng = np.random.default_rng(0)
    image = rng.random(shape)
    patches = Patches(image, sides, 1)
    numbers = np.sort(rng.permutation(len(patches))[: len(patches) // 3])
    weights = rng.random(len(numbers))
    total, weight = np.zeros(shape), np.zeros(shape)
    for number, w in zip(numbers, weights, strict=True):
        corner = np.unravel_index(number, [len(c) for c in patches.corners])
        at = tuple(slice(c, c + s) for c, s in zip(corner, sides, strict=True))
        np.testing.assert_array_equal(patches.take(np.array([number]))[0], image[at].ravel())
        total[at] += w * np.sqrt(image[at])
        weight[at] += w
    expected = total / np.where(weight > 0, weight, 1)
    monkeypatch.setattr("sparsebp.images._patches._AVERAGED", 5)

    def work(n):
        return np.sqrt(patches.take(n)), weights[np.searchsorted(numbers, n)]

    found = [patches.averaged(work, False, numbers, n_threads) for n_threads in (1, 3)]
    np.testing.assert_allclose(found[0], expected, atol=1e-12)
    np.testing.assert_array_equal(found[1], found[0])
