from xml.etree.ElementTree import fromstring

import numpy as np
import pytest

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.penalties import L1, Cauchy, LogCosh, Topographic, Welsch
from sparsebp.report.mathematics import mathematics

X = np.random.default_rng(0).laplace(size=(100, 9))


def text(mathml):
    return "".join(fromstring(mathml).itertext()).replace("\xa0", " ")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("model", "n_terms", "values"),
    [
        (SparseCoding(9, max_iter=1, alpha=0.3), 2, "α=0.3,ϵ=0.001"),
        (SparseCoding(9, max_iter=1, gamma=0.2, penalty=Topographic((3, 3))), 3, "γ=0.2"),
        (SparseCoding(9, max_iter=1, penalty=Welsch()), 2, "α=1"),
        (SparseCoding(9, max_iter=1, penalty=L1(positive=True)), 2, "α=1"),
        (ReconstructionICA(9, max_iter=1, penalty=LogCosh()), 2, "α=1"),
        (OrthonormalICA(2, max_iter=1, penalty=Cauchy(), signs=[1, -1]), 1, ""),
        (SparseFiltering(9, max_iter=1, epsilon=1e-8), 1, "ϵ=1·10−8"),
    ],
)
def test_each_network_of_the_objective_is_a_term_of_well_formed_mathematics(model, n_terms, values):
    written = mathematics(model.fit(X))
    assert len(written.terms) == n_terms
    assert values in text(written.values or "<math/>").replace("\u2003", "").replace(" ", "")
    assert "m" in text(written.objective)
    for term in written.terms:
        pieces = [term.formula, *term.header, *sum(term.rows, ()), *term.gradients]
        assert all(fromstring(piece).tag.endswith("math") for piece in pieces)
        assert len({len(row) for row in (term.header, *term.rows)}) == 1


def test_constraints_are_said():
    free = mathematics(ReconstructionICA(2, tol=1e-2).fit(X)).objective
    bound = mathematics(ReconstructionICA(2, tol=1e-2, unit_norm=True).fit(X)).objective
    assert "subject to" not in text(free)
    assert "subject to" in text(bound)
