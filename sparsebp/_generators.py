"""States of NumPy's random generators as JSON values, and generators from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebp._checks import RandomSource

_KINDS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def state_of(rng: RandomSource) -> Any:
    """Return the state of a generator; that of a RandomState includes a normal number."""
    if isinstance(rng, np.random.RandomState):
        state: Any = rng.get_state(legacy=False)
    else:
        state = rng.bit_generator.state
    if state["bit_generator"] not in _KINDS:
        raise TypeError(
            "random_state must be an integer or a generator of NumPy with a checkpoint, got one on "
            f"{state['bit_generator']}."
        )
    return state


def generator(state: dict[str, Any]) -> RandomSource:
    """Return a generator in the state that `state_of` returned."""
    name, position = state["bit_generator"], state["state"].get("pos", 0)
    known = name in _KINDS
    # NumPy would read beyond its buffers.
    if not known or position not in range(625) or state.get("buffer_pos", 0) not in range(5):
        raise ValueError("there is no such generator")
    bits = getattr(np.random, name)()
    if "has_gauss" not in state:
        bits.state = state
        return np.random.Generator(bits)
    rng = np.random.RandomState(bits)
    rng.set_state(state)
    return rng
