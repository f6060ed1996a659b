import numpy as np
import pytest

from sparsebp.network import Convolution, check_gradient
from sparsebp.penalties import L1, LogCosh, Signed, Topographic
from sparsebp.problems import UnitColumns, convolutional_sparse_coding

PATCH, IMAGE = (2, 3, 3), (4, 3)


def drawn():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 12))
    known = (rng.random(x.shape) < 0.7).astype(float)
    return {"x": x, "M": known, "A": rng.normal(size=(18, 4)), "s": rng.normal(size=(4, 25))}


@pytest.mark.parametrize("masked", [False, True])
def test_the_value_is_the_formula(masked):
    known = drawn()
    problem = convolutional_sparse_coding(L1(), 0.3, PATCH, IMAGE, masked=masked)
    image = Convolution("A", patch_shape=PATCH, image_shape=IMAGE)(known["s"], known)
    error = (image - known["x"]) * (known["M"] if masked else 1)
    expected = (error**2).sum() + 0.3 * np.abs(known["s"]).sum()
    assert problem.value(known) == pytest.approx(expected / 12)
    assert problem.constraint is UnitColumns


@pytest.mark.parametrize("penalty", [LogCosh(), Topographic((2, 2))], ids=str)
@pytest.mark.parametrize("free", ["A", "s"])
def test_gradients_agree_with_a_complex_step(penalty, free):
    known = drawn()
    problem = convolutional_sparse_coding(penalty, 0.3, PATCH, IMAGE, masked=True)
    objective = problem.objective(free, {n: v for n, v in known.items() if n != free})
    if free == "A":
        objective = problem.constrained(objective)
    assert check_gradient(objective.value_and_gradient, known[free]) < 1e-12


def test_a_penalty_with_signs_is_an_error():
    with pytest.raises(ValueError, match="Signed"):
        convolutional_sparse_coding(Signed(L1(), (1, -1)), 0.3, PATCH, IMAGE)
