"""Numbers that ask for more memory than there is are refused before any is taken."""

import re

import numpy as np
import pytest

from sparsebp import ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp._memory import available_bytes, check_memory
from sparsebp.datasets import make_dead_leaves, make_dictionary_signals, make_mixtures
from sparsebp.displays import filter_mosaic
from sparsebp.penalties import Topographic
from sparsebp.preprocessing import sample_patches

X = np.random.default_rng(0).laplace(size=(20, 4))
IMAGE = np.random.default_rng(1).random((9, 9))


@pytest.mark.parametrize(
    ("name", "take"),
    [
        ("n_components", lambda n: SparseCoding(n).fit(X)),
        ("n_components", lambda n: SparseCoding(n).partial_fit(X)),
        ("n_components", lambda n: SparseCoding(n, penalty="topographic").fit(X)),
        ("n_components", lambda n: ReconstructionICA(n).fit(X)),
        ("n_components", lambda n: SparseFiltering(n).fit(X)),
        ("n_samples", lambda n: make_dictionary_signals(n)),
        ("n_features", lambda n: make_dictionary_signals(9, n)),
        ("n_components", lambda n: make_dictionary_signals(9, 9, n)),
        ("n_samples", lambda n: make_mixtures(n)),
        ("n_sources", lambda n: make_mixtures(9, n)),
        ("n_images", lambda n: make_dead_leaves(n)),
        ("shape", lambda n: make_dead_leaves(1, (n, 9))),
        ("n_patches", lambda n: sample_patches([IMAGE], 8, n)),
        ("grid_shape", lambda n: Topographic((n, 9)).grouping),
        ("gap", lambda n: filter_mosaic(X, gap=n)),
    ],
)
def test_what_has_no_room_is_refused_by_name(name, take):
    for large in (10**12, 10**30):
        message = rf"^{name}=.* needs .* GiB of memory.* are available"
        with pytest.raises(MemoryError, match=message):
            take(large)


def test_the_limit_is_what_is_available():
    n = int(available_bytes() / 8)
    check_memory("n", n, (n // 2, 1))
    with pytest.raises(MemoryError, match=re.escape(f"n={n}")):
        check_memory("n", n, (n, 1), (n, 1))
