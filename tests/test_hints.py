"""Names and values of other packages: refused by saying what they are called here."""

import inspect
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn import decomposition
from sklearn.base import clone

import sparsebp
from sparsebp import (
    ConvolutionalSparseCoding,
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
    sparse_encode,
)
from sparsebp._hints import CLASSES, NAMES, VALUES, about_name
from sparsebp.penalties import NAMES as PENALTIES
from sparsebp.penalties import make_penalty
from sparsebp.preprocessing import Whitening

PAGE = (Path(sparsebp.__file__).parents[1] / "docs" / "migration.md").read_text("utf-8")
KINDS = [
    ConvolutionalSparseCoding,
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
    Whitening,
]
X = np.random.default_rng(0).laplace(size=(20, 4))


def parameters(kind):
    return list(inspect.signature(kind).parameters)


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        (SparseCoding, "dict_init", "no parameter 'dict_init'; write init instead"),
        (SparseCoding, "transform_algorithm", "write penalty instead"),
        (SparseCoding, "transform_alpha", "write alpha instead. It is twice"),
        (SparseCoding, "fit_algorithm", "write solver instead"),
        (SparseCoding, "lambda", "write alpha instead"),
        (SparseCoding, "dictionary", "write init instead. SparseCoder does not change"),
        (SparseCoding, "alpha_", "write alpha instead"),
        (SparseCoding, "n_component", "write n_components instead"),
        (SparseCoding, "n_features", "write n_components instead"),
        (OrthonormalICA, "fun", "write penalty instead. 'log_cosh' is FastICA's"),
        (OrthonormalICA, "w_init", "write init instead"),
        (OrthonormalICA, "k", "write n_components instead"),
        (OrthonormalICA, "alpha", "it has n_components, penalty,"),
        (ReconstructionICA, "Lambda", "write alpha instead. It is 1/Lambda"),
        (ReconstructionICA, "ContrastFcn", "write penalty instead. 'sqrt'"),
        (ReconstructionICA, "Standardize", "'Standardize'. Use make_pipeline"),
        (ReconstructionICA, "positive_dict", "it has n_components, penalty,"),
        (SparseFiltering, "IterationLimit", "write max_iter instead"),
        (Whitening, "epsilon", "write regularization instead"),
        (SparseCoder, "transform_alpha", "write alpha instead"),
        (SparseCoder, "transform_n_nonzero_coefs", "write n_nonzero instead"),
        (SparseCoder, "transform_algorithm", "n_nonzero or error selects orthogonal matching"),
    ],
)
def test_a_foreign_name_is_answered_by_the_name_here(kind, name, said):
    first = {"dictionary": np.eye(4)} if kind is SparseCoder else {}
    with pytest.raises(TypeError, match=re.escape(said)):
        kind(**first, **{name: 1})
    with pytest.raises(ValueError, match=re.escape(said)):
        kind(**first).set_params(**{name: 1})


@pytest.mark.parametrize("kind", KINDS)
def test_scikit_learn_still_reads_the_signature(kind):
    assert inspect.signature(kind.__init__).parameters["self"]
    first = {"dictionary": np.eye(4)} if kind is SparseCoder else {}
    model = kind(**first)
    assert set(model.get_params()) == set(parameters(kind)) == set(vars(model))
    assert clone(model).get_params().keys() == model.get_params().keys()
    assert repr(pickle.loads(pickle.dumps(model))) == repr(model)
    assert kind.__init__.__doc__ == inspect.unwrap(kind.__init__).__doc__


def test_a_subclass_may_take_any_names():
    class Own(SparseCoding):
        def __init__(self, n_components=None, **others):
            super().__init__(n_components, alpha=others["fun"])

    assert Own(3, fun=0.5).alpha == 0.5


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (OrthonormalICA(whiten="unit-variance"), "For 'unit-variance' write True"),
        (OrthonormalICA(whiten="arbitrary-variance"), "write True; the components then"),
        (OrthonormalICA(penalty="logcosh"), "For 'logcosh' write 'log_cosh'"),
        (OrthonormalICA(penalty="exp"), "For 'exp' write 'welsch'"),
        (OrthonormalICA(penalty="cube"), "For 'cube' write 'log_cosh' or"),
        (OrthonormalICA(solver="parallel"), "For 'parallel' write 'lbfgs'"),
        (SparseCoding(solver="lars"), "For 'lars' write 'lbfgs', which"),
        (SparseCoding(solver="cd"), "For 'cd' write 'lbfgs', which"),
        (SparseCoding(solver="fista"), "For 'fista' write 'lbfgs'"),
        (SparseCoding(solver="on-line"), "For 'on-line' write 'online'"),
        (SparseCoding(penalty="topographical"), "write 'topographic'"),
        (ReconstructionICA(penalty="Smooth-L1"), "write 'smooth_l1'"),
        (Whitening("PCA"), "For 'PCA' write 'pca'"),
    ],
)
def test_a_foreign_value_is_answered_by_the_value_here(model, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        model.fit(X)


def test_functions_hint_as_classes_do():
    D = np.eye(4)
    for given, said in {
        ("n_nonzero_coefs", 3): "sparse_encode has no parameter 'n_nonzero_coefs'; write n_nonzero",
        ("algorithm", "omp"): "write penalty instead",
        ("positive", True): "write penalty instead. Write penalty=L1(positive=True)",
        ("max_iter", 3): "it has X, dictionary, penalty,",
    }.items():
        with pytest.raises(TypeError, match=re.escape(said)):
            sparse_encode(X, D, **dict([given]))
    with pytest.raises(ValueError, match=r"For 'omp' write n_nonzero=... or error=... instead"):
        sparse_encode(X, D, penalty="omp")
    with pytest.raises(ValueError, match="For 'lasso_cd' write 'l1'"):
        sparse_encode(X, D, penalty="lasso_cd")


def test_unknown_names_get_no_advice():
    with pytest.raises(ValueError, match=r"got 'zebra'\.$"):
        make_penalty("zebra", 3, 0.1)
    assert about_name("A", "zebra", ["b", "c"]) == "A has no parameter 'zebra'; it has b, c."


def test_every_hint_names_something_that_exists():
    own = {name for kind in KINDS for name in parameters(kind)}
    for table in NAMES.values():
        for name, hint in table.items():
            assert set(hint.names) <= own, name
            assert hint.names or hint.words, name
    for said in VALUES["penalty"].values():
        assert set(re.findall(r"'(\w+)'", said)) <= set(PENALTIES)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("DictionaryLearning", SparseCoding),
        ("MiniBatchDictionaryLearning", SparseCoding),
        ("SparseCoder", SparseCoder),
        ("FastICA", OrthonormalICA),
    ],
)
def test_scikit_learns_parameters_are_all_known(theirs, ours):
    known = {*parameters(ours), *NAMES["scikit-learn"]}
    assert set(parameters(getattr(decomposition, theirs))) <= known


def test_the_page_on_migration_has_every_name_and_value():
    first_cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("|")]
    spans = re.findall(r"`([^`]+)`", " ".join(first_cells))
    on_page = {re.match(r"\w+", span).group() for span in spans if re.match(r"\w+", span)}
    table = {**NAMES["scikit-learn"], **NAMES["MATLAB"]}
    assert set(table) <= on_page
    own = {name for kind in KINDS for name in parameters(kind)}
    results = {"FitInfo", "TransformWeights", "transform", "error_", "partial_fit"}
    classes = {"DictionaryLearning", "MiniBatchDictionaryLearning", "scikit", "rica", "FastICA"}
    assert on_page <= {*table, *own, *results, *classes, *NAMES["others"], *CLASSES}
    parameter = {"fun": "penalty", "ContrastFcn": "penalty", "whiten": "whiten"}
    values = re.findall(r'(fun|ContrastFcn|whiten)="([\w-]+)"', " ".join(spans))
    assert len(values) >= 8
    for name, value in values:
        assert value in VALUES[parameter[name]]


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("FastICA", "OrthonormalICA"),
        ("MiniBatchDictionaryLearning", "SparseCoding, with solver='online'"),
        ("PCA", "preprocessing.Whitening"),
        ("SparseCodng", "SparseCoding"),
    ],
)
def test_a_foreign_class_is_answered_by_the_one_here(name, here):
    with pytest.raises(AttributeError, match=re.escape(f"use sparsebp.{here}.")):
        getattr(sparsebp, name)
    assert not hasattr(sparsebp, "nothing_like_it")


def test_names_of_subpackages_are_answered_by_their_place():
    for name, place in {
        "Whitening": "preprocessing.Whitening",
        "make_mixtures": "datasets.make_mixtures",
    }.items():
        said = f"sparsebp has no attribute {name!r}; use sparsebp.{place}."
        with pytest.raises(AttributeError, match=re.escape(said)):
            getattr(sparsebp, name)
        assert not hasattr(sparsebp, name)
