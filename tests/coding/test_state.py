import numpy as np
import pytest

from sparsebp.coding.state import AlternationState, BasisState, packed_state, unpacked_state

BASIS, X, CODES = np.ones((2, 3), np.float32), np.zeros((2, 4)), np.full((3, 4), 2.0)
ONLINE = BasisState.fitted(BASIS, X, CODES, 4)


def read(packed):
    """Return numbers as a checkpoint does."""
    return {name: a if a.ndim else a.item() for name, a in packed.items()}


@pytest.mark.parametrize("start", [BASIS, BASIS + 1], ids=["basis", "other"])
def test_a_kept_state_of_the_alternation_is_the_same(start):
    """Also in whether its start is the basis itself, which determines the next step."""
    rest = {"value": 0.1, "n_steps": 3, "replacing": True}
    state = AlternationState(**vars(ONLINE), samples=X, codes=CODES, start=start, **rest)
    packed = packed_state(state)
    assert all(isinstance(value, np.ndarray) for value in packed.values())
    found = unpacked_state(read(packed), X)
    assert found.samples is X
    assert (found.start is found.basis) is (start is BASIS)
    for name, value in vars(state).items():
        again = vars(found)[name]
        np.testing.assert_array_equal(again, value)
        assert type(again) is type(value)


def test_a_kept_state_of_online_learning_is_the_same():
    found = unpacked_state(read(packed_state(ONLINE)), X)
    assert type(found) is BasisState
    for name, value in vars(ONLINE).items():
        np.testing.assert_array_equal(vars(found)[name], value)
