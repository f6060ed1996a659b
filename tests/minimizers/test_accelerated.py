import numpy as np

from sparsebp.minimizers import AtPoints, descend


def quadratic(h, b):
    """½ xᵀ diag(h) x − bᵀx of each column, with its own curvature."""
    return lambda x: AtPoints(((h * x / 2 - b) * x).sum(axis=0), h * x - b, h + 0 * x)


def test_parabolas_of_the_function_itself_end_in_one_step():
    rng = np.random.default_rng(0)
    h, b = rng.uniform(1, 9, (3, 4)), rng.normal(size=(3, 4))
    np.testing.assert_allclose(descend(quadratic(h, b), rng.normal(size=(3, 4)), 1), b / h)


def test_momentum_beats_plain_steps():
    """k plain steps leave a share (1 − h / H)ᵏ of a direction: 0.6 in the flattest one here."""
    h = np.array([[100.0], [0.5]])

    def evaluate(points):
        return quadratic(h, h)(points)._replace(curvature=np.full_like(points, 100))

    found = descend(evaluate, np.zeros((2, 1)), 100)
    assert abs(found - 1).max() < (1 - 0.5 / 100) ** 100 / 2


def test_a_column_that_gets_worse_stays_where_it_was():
    h = np.ones((2, 3))

    def evaluate(points):
        at = quadratic(h, h)(points)
        return at._replace(curvature=np.where(np.arange(3) == 1, 1e-150, at.curvature))

    start = np.random.default_rng(0).normal(size=(2, 3))
    with np.errstate(all="ignore"):
        found = descend(evaluate, start, 50)
    np.testing.assert_array_equal(found[:, 1], start[:, 1])
    np.testing.assert_allclose(found[:, [0, 2]], 1)


def test_the_start_is_not_changed():
    h, start = np.ones((2, 3)), np.zeros((2, 3))
    assert descend(quadratic(h, h), start, 0) is start
    descend(quadratic(h, h), start, 5)
    assert not start.any()
