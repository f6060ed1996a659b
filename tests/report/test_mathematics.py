from xml.etree.ElementTree import fromstring

import numpy as np
import pytest

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.network import value_and_gradients
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
        (SparseFiltering(9, max_iter=1, epsilon=1e-8 / np.square(X).mean()), 1, "ϵ=1·10−8"),
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


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("model", "gradients"),
    [
        (SparseCoding(9, max_iter=1), ["∇AF=1m∇AF1", "∇sF=1m(∇sF1+α∇sF2)"]),
        (SparseCoding(9, max_iter=1, gamma=0.1), ["∇AF=1m∇AF1+γ∇AF3", "∇sF=1m(∇sF1+α∇sF2)"]),
        (ReconstructionICA(9, max_iter=1), ["∇WF=1m(∇WF1+α∇WF2)"]),
        (OrthonormalICA(9, max_iter=1), ["∇WF=1m∇WF1"]),
        (SparseFiltering(9, max_iter=1), ["∇WF=1m∇WF1"]),
    ],
)
def test_gradients_of_the_terms_are_put_together_with_their_weights(model, gradients):
    assert [text(g) for g in mathematics(model.fit(X)).gradients] == gradients


def test_gradients_are_those_of_what_was_searched_for(topographic):
    reconstruction, penalty = mathematics(topographic[0]).terms
    assert [text(g)[:4] for g in reconstruction.gradients] == ["∇sF1", "∇AF1"]
    assert [text(g)[:4] for g in penalty.gradients] == ["∇sF2"]


@pytest.mark.parametrize(("sharpness", "said"), [(1.0, False), (2.0, True)])
def test_a_sharpness_is_said_where_the_formula_has_it(sharpness, said):
    model = ReconstructionICA(2, tol=1e-2, penalty=LogCosh(sharpness)).fit(X)
    assert ("a=2" in text(mathematics(model).values)) == said


def test_constraints_are_said():
    free = mathematics(ReconstructionICA(2, tol=1e-2).fit(X))
    bound = mathematics(ReconstructionICA(2, tol=1e-2, unit_norm=True).fit(X))
    many = mathematics(ReconstructionICA(12, tol=1e-2).fit(X))
    assert free.constraint == ()
    assert text(bound.constraint[0]) == text(many.constraint[0]) == "‖wr‖=1"


@pytest.mark.filterwarnings("ignore:.*(is|are) silent")
def test_the_scale_of_the_reconstruction_is_said_where_it_is_not_one():
    many = mathematics(ReconstructionICA(12, tol=1e-2, random_state=0).fit(X))
    assert "cWTWxj" in text(many.terms[0].formula).replace(" ", "")
    assert "c=0.75" in text(many.values).replace(" ", "")
    assert any("n/k for k filters of n directions" in words for _, words in many.meanings)
    plain = ReconstructionICA(12, tol=1e-2, unit_norm=False, random_state=0).fit(X)
    plain = mathematics(plain)
    assert "c=" not in text(plain.values).replace(" ", "")


@pytest.mark.parametrize("whiten", [False, 0.9])
def test_what_is_white_is_called_white(whiten):
    model = ReconstructionICA(2, tol=1e-2, whiten=whiten).fit(X)
    meanings = dict(mathematics(model).meanings)
    words = " ".join(meanings.values())
    assert ("whitened_components_" in words) == bool(whiten)


def weighted(model):
    """The sum of the problem's terms in their literal layers, at what was learned."""
    white = getattr(model, "whitening_", np.eye(9)) @ (X - getattr(model, "mean_", 0)).T
    variables = {"x": white, "W": getattr(model, "whitened_components_", model.components_)}
    variables |= {"A": model.components_.T, "s": model.transform(X).T, **model.problem_.fixed}
    total = 0
    for part in model.problem_.parts:
        known = {n: variables[n] for n in part.network.names}
        value = value_and_gradients(part.network, known, [part.network.input])[0]
        total += part.weight * value / (len(X) if part.is_mean else 1)
    return total


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model",
    [
        SparseCoding(9, max_iter=2, alpha=0.3, gamma=0.2),
        SparseCoding(9, max_iter=2, penalty="topographic"),
        ReconstructionICA(5, whiten=0.9, alpha=0.4, tol=1e-3),
        ReconstructionICA(15, whiten=True, alpha=0.4, tol=1e-3),
        OrthonormalICA(3, signs=[1, -1, 1], tol=1e-3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_terms_add_up_to_what_the_model_scores(model):
    model.fit(X)
    assert weighted(model) == pytest.approx(-model.score(X), rel=1e-9)
