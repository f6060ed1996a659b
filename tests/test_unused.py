import numpy as np
import pytest

from sparsebp._unused import unused_components


@pytest.mark.parametrize(
    ("energies", "unused"),
    [
        ([1.0, 2.0, 3.0], []),
        ([1.0, 2.0, 3.0, 1e-4], [3]),
        ([1.0, 2.0, 3.0, 1e-2], []),
        ([1e-9] * 6 + [1.0, 2.0], range(6)),  # most of them
        ([100.0, 0.1, 0.1, 0.1, 0.1], []),  # one that outweighs all others
        ([1.0, 1.0, 1.0, 0.0], [3]),
        ([0.0, 0.0], [0, 1]),
    ],
)
def test_unused_is_what_contributes_next_to_nothing(energies, unused):
    assert unused_components(np.array(energies)).tolist() == list(unused)
