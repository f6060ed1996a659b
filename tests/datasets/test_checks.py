import numpy as np
import pytest

from sparsebp.datasets.checks import check_count, check_number, random_source


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "x", [1.5]])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(ValueError, match=r"is no seed: give None, an integer"):
        random_source(seed)


def test_generators_are_used_as_they_are():
    generator, legacy = np.random.default_rng(0), np.random.RandomState(0)
    assert random_source(generator) is generator
    assert random_source(legacy) is legacy
    assert random_source(np.int64(3)).random() == random_source(3).random()


def test_numbers_are_refused_in_words():
    with pytest.raises(TypeError, match=r"n=2\.0 is not an integer"):
        check_count("n", 2.0)
    with pytest.raises(TypeError, match="n=True is not an integer"):
        check_count("n", True)
    with pytest.raises(ValueError, match="n=0 is too small"):
        check_count("n", 0)
    with pytest.raises(TypeError, match="x='1' is not a number"):
        check_number("x", "1")
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="is out of range: give a finite number"):
            check_number("x", value)
    assert check_count("n", np.int8(3)) == 3
    assert check_number("x", np.float32(-2)) == -2
