"""Random calls of everything public: data, parameters and methods drawn from a seed."""

import copy
import inspect
import pickle
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from random_data import GARBAGE, array_like, image, matrix, pick
from random_models import COMMON, KINDS, PENALTIES, drawn, estimator, fitted
from sklearn.base import clone

import sparsebp
from sparsebp import datasets, displays, images, metrics, penalties, report
from sparsebp import preprocessing as prep
from sparsebp._namespaces import to_numpy


def outcome_of(model, method, X):
    """Call a method; return what must be finite in its result."""
    result = getattr(model, method)(X)
    if result is model:
        found = [getattr(model, "components_", None), getattr(model, "state_", None)]
        found += [vars(model).get(n) for n in ("mixing_", "mean_", "eigenvalues_", "directions_")]
        return [v for v in found if isinstance(v, np.ndarray)]
    return result if method != "score" or result != -np.inf else 0.0  # as documented: overflow


METHODS = ["fit", "fit_transform", "partial_fit", "transform", "inverse_transform", "score"]
METHODS += ["silent_components", "get_feature_names_out"]


def fit_anything(rng):
    what, X = matrix(rng, 9)
    model = estimator(rng, broken=pick(rng, [0, 0.05, 0.2]))
    methods = [m for m in ("fit", "fit", "fit_transform", "partial_fit") if hasattr(model, m)]
    methods = methods or ["transform"]
    method = pick(rng, methods)

    def call():
        outcome_of(model, method, X)
        again = clone(model)
        assert type(again) is type(model)
        return outcome_of(
            model, pick(rng, [m for m in [*methods, "transform"] if hasattr(model, m)]), X
        )

    return f"{model!r:.300}.{method}({what})", call, X


def use_fitted(rng):
    model = fitted(rng)
    what, X = matrix(rng, pick(rng, [9, 9, getattr(model, "_n_features_out", 9)]))
    method = pick(rng, [m for m in METHODS if hasattr(model, m)])
    return f"{model!r:.300}.{method}({what})", lambda: outcome_of(model, method, X), X


def changed_after_fit(rng):
    """Parameters set after fit, some of them garbage, then everything is used."""
    model = fitted(rng)
    if type(model) not in KINDS:
        return use_fitted(rng)
    given = drawn(rng, KINDS[type(model)], 0.1)
    what, X = matrix(rng, 9)
    method = pick(rng, [m for m in METHODS[:6] if hasattr(model, m)])

    def call():
        model.set_params(**given)
        return outcome_of(model, method, X)

    return f"{model!r:.200}.set_params({given!r:.300}).{method}({what})", call, X


def keep(rng):
    """Through a file, a pickle or a copy, nothing changes."""
    model = fitted(rng)
    X = rng.laplace(size=(7, 9))
    way = pick(rng, ["file", "pickle", "deepcopy", "metadata"])
    metadata = pick(rng, [None, {}, {"a": 1}, {"a": [1, {"b": None}]}, *GARBAGE])

    def call():
        before = model.transform(X)
        if way == "pickle":
            again = pickle.loads(pickle.dumps(model))
        elif way == "deepcopy":
            again = copy.deepcopy(model)
        else:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.npz"
                sparsebp.save_model(model, path, metadata=metadata if way == "metadata" else None)
                again = sparsebp.load_model(path)
                sparsebp.read_metadata(path)
        np.testing.assert_array_equal(to_numpy(again.transform(X)), to_numpy(before))
        return before

    return f"{way} {metadata!r:.60} {model!r:.200}", call, X


def numbers_of(result):
    """Return the numbers of a result that must be finite."""
    if isinstance(result, metrics.FeatureSummary):  # of variance nothing may be to explain
        return [v for name, v in vars(result).items() if name != "explained_variance"]
    plain = isinstance(result, np.ndarray | pd.DataFrame) or hasattr(result, "toarray")
    if hasattr(result, "__dict__") and not plain:
        return list(vars(result).values())
    return result


def filters(rng):
    return array_like(rng, (pick(rng, [1, 2, 4]), pick(rng, [9, 9, 9, 4, 1, 12, 0])))


def stack(rng):
    some = [image(rng) for _ in range(pick(rng, [1, 1, 2, 0]))]
    what, first = some[0] if some else ("nothing", [])
    return f"{len(some)} of {what}", pick(rng, [[array for _, array in some], first, {"a": 1}])


def fits(rng):
    seeds = range(pick(rng, [1, 2, 3]))
    return "", [
        sparsebp.SparseCoding(3, max_iter=2, random_state=seed).fit(FITTED_TO) for seed in seeds
    ]


FITTED_TO = np.random.default_rng(0).normal(size=(20, 9))
#: What `stability` may fit.
SMALL = [sparsebp.OrthonormalICA(max_iter=2), sparsebp.SparseCoding(3, max_iter=2)]

FUNCTIONS = [
    *(getattr(prep, name) for name in prep.__all__ if name.islower()),
    *(
        getattr(metrics, name)
        for name in metrics.__all__
        if name.islower() and name != "explained_variance"
    ),
    *(getattr(images, name) for name in images.__all__ if name.islower()),
    *(datasets.make_dictionary_signals, datasets.make_mixtures, datasets.make_dead_leaves),
    *(displays.filter_mosaic, penalties.make_penalty, penalties.squarest_grid, penalties.Signed),
    *(penalties.L1, penalties.SmoothL1, penalties.LogCosh, penalties.Topographic),
    penalties.Subspace,
    *(penalties.Topographic.from_groups, sparsebp.load_basis, sparsebp.load_model),
    *(sparsebp.read_metadata, sparsebp.sparse_encode),
]
COUNTS, FLAGS, WEIGHTS = (1, 2, 5, 12), (True, False), (0.1, 0.4, 1.0, 10, 0, 1e-3)
#: What each argument may be, by its name: data or a model that is drawn, or one of some values.
ARGUMENTS = {
    **dict.fromkeys(["patches", "codes", "samples", "reconstruction", "dictionary", "X"], matrix),
    **dict.fromkeys(["learned", "components", "features", "unmixing", "mixing", "groups"], matrix),
    **dict.fromkeys(["n_patches", "n_samples", "n_features", "n_components"], COUNTS),
    **dict.fromkeys(["n_nonzero", "n_sources"], COUNTS),
    **dict.fromkeys(["per_component", "positive", "unit_variance", "wrap"], FLAGS),
    **dict.fromkeys(["split_sign", "sparse_output"], FLAGS),
    **{"error": [None, 0, 0.5], "n_jobs": [None, 1, 2], "first": matrix, "second": matrix},
    "n_draws": [1, 20],
    **dict.fromkeys(["precision", "sigma", "alpha", "sharpness", "epsilon"], WEIGHTS),
    **dict.fromkeys(["regularization", "min_contrast", "cutoff", "step"], WEIGHTS),
    **{"image": image, "images": stack, "filters": filters, "model": lambda r: ("", fitted(r))},
    **{"random_state": COMMON["random_state"], "patch_shape": [3, (3, 3), (2, 4), (3, 3, 3), 12]},
    **{"boundary": ["mirror", "wrap"], "threshold": [0.5, 0.99], "stride": [1, 2, (1, 2), 3]},
    **{"respond": filters, "n_orientations": [1, 4], "frequencies": [None, [0.1, 0.3], [0.2]]},
    **{"n_phases": [5, 8, 32], "group_size": [1, 2, 3], "n_groups": [1, 2]},
    **{"missing": [None, np.eye(12) > 0, np.zeros((12, 12), bool), np.ones((12, 12), bool)]},
    **{"prepare": [prep.remove_mean], "progress": [False], "silent": [(), [0], [-1]]},
    **{"grid_shape": [(2, 2), (3, 4), [2, 2], (1, 4)], "scale": ["each", "all"], "gap": [0, 3]},
    **{"penalty": PENALTIES, "signs": [(1, 1, -1), (1,), [1, -1]], "neighborhood": [1, 2, 3, 5]},
    **{"disparity": [None, 0, 2, (1, 2)], "velocity": [0, 1.5, (0, -1)], "n_movies": [1, 3]},
    **{"snr_db": [None, 0, 20.0, -10], "distribution": ["laplace", "student_t", "uniform"]},
    **{"n_images": [1, 2], "shape": [(8, 8), (1, 1), (3, 9), (2, 5, 5)], "min_radius": [1, 2.5]},
    **{
        "max_radius": [None, 3, 9.0],
        "name": ["nobody", "rica-12x12"],
        "path": ["nowhere.npz", "/"],
    },
    "estimator": lambda r: ("", pick(r, SMALL)),
    "fits": fits,
    "n_runs": [2, 3],
    "bootstrap": [True, False],
    "similarity": ["auto", "cosine", "correlation"],
    "track": lambda r: ("", lambda runs, label: runs),
    "fit": lambda r: ("", metrics.gabor_fit(r.normal(size=(pick(r, [1, 4, 6]), 9)), (3, 3))),
}
#: A million of them takes long, as it should.
MANY_ARE_FINE = {
    "n_images",
    "n_movies",
    "n_samples",
    "n_features",
    "n_components",
    "n_patches",
    "n_sources",
}


def argument(rng, name, columns, broken):
    values = ARGUMENTS[name]
    if values is matrix:
        return matrix(rng, columns)
    if rng.random() < broken:
        value = pick(rng, GARBAGE)
        too_many = name in MANY_ARE_FINE and isinstance(value, int) and value == 10**6
        # Of flags only the truth value is asked, as everywhere in Python; an array has none.
        no_flag = values is FLAGS and isinstance(value, np.ndarray)
        return "garbage", None if too_many or no_flag else value
    return values(rng) if callable(values) else ("", pick(rng, values))


def function(rng):
    chosen = pick(rng, FUNCTIONS)
    columns, broken = pick(rng, [4, 9]), pick(rng, [0, 0, 0.2])
    given, words = {}, []
    for name, parameter in inspect.signature(chosen).parameters.items():
        required = parameter.default is parameter.empty
        if required or rng.random() < (0.9 if name == "model" else 0.4):
            what, given[name] = argument(rng, name, columns, broken)
            words.append(f"{name}={what or repr(given[name])[:150]}")
    call = f"{chosen.__qualname__}({', '.join(words)})"
    return call, lambda: numbers_of(chosen(**given)), given


#: What each display may be told when it draws.
DRAWN = {
    displays.BinocularDisplay: {"min_correlation": [0, 0.5]},
    displays.ColorDisplay: {},
    displays.MotionDisplay: {"min_direction_index": [0, 0.5]},
    displays.BasisDisplay: {"scale": ["each", "all"], "gap": [0, 2], "title": [None, "t"]},
    displays.CoefficientsDisplay: {},
    displays.GaborDisplay: {"min_r_squared": [0, 0.5, 1], "bar_length": [0.5, 1]},
    displays.MapDisplay: {"panels": ["filters", ("orientation", "phase")], "min_r_squared": [0.9]},
    displays.ObjectiveDisplay: {},
    displays.ShapeDisplay: {"min_r_squared": [0, 0.5], "label": [None, "l"]},
    displays.SpectrumDisplay: {"fractions": [None, (0.5, 0.9)]},
    displays.TuningDisplay: {"panels": ["phase", ("modulation", "frequency"), "orientation"]},
    displays.ReconstructionDisplay: {"n_patches": [1, 3], "scale": ["each", "all"]},
}


def display(rng):
    kind = pick(rng, list(DRAWN))
    options = drawn(rng, DRAWN[kind], pick(rng, [0, 0.2]))
    names = list(inspect.signature(kind).parameters)
    if rng.random() < 0.5:
        model, (what, X) = fitted(rng), matrix(rng, 9)
        needs_samples = "X" in inspect.signature(kind.from_estimator).parameters
        arguments, more, make = [model, *[X][:needs_samples]], {}, kind.from_estimator
        words = f".from_estimator({model!r:.200}, {what})"
    else:
        what, X = filters(rng)
        if names[0] in ("history", "eigenvalues") and isinstance(X, np.ndarray):
            X = X.ravel()
        again = X if rng.random() < 0.7 else filters(rng)[1]
        more = drawn(rng, {"patch_shape": COMMON["patch_shape"]}, 0.1)
        if kind in (displays.BinocularDisplay, displays.MotionDisplay):
            more.setdefault("patch_shape", (3, 1, 3))
        more = {name: value for name, value in more.items() if name in names}
        arguments, make = [X, again][: 1 + ("reconstructions" in names)], kind
        words = f"({what}, {more!r:.100})"

    def call():
        try:
            plot = make(*arguments, **more).plot(**options)
            plot.figure_.canvas.draw()
        finally:
            plt.close("all")

    return f"{kind.__name__}{words}.plot({options!r:.200})", call, X


def page(rng):
    model, (what, X) = fitted(rng), matrix(rng, 9)

    def call():
        with tempfile.TemporaryDirectory() as folder:
            report.write_report(Path(folder) / "report.html", model, X)
        plt.close("all")

    return f"write_report({model!r:.200}, {what})", call, X


#: Who makes calls, and how often.
MAKERS = {
    fit_anything: 4,
    use_fitted: 3,
    changed_after_fit: 1,
    keep: 1,
    function: 7,
    display: 2,
    page: 0.5,
}
FRACTIONS = np.cumsum(list(MAKERS.values())) / sum(MAKERS.values())


def random_call(seed, number):
    """Return words for a call, the call, and what it is given, which must stay as it is."""
    rng = np.random.default_rng([seed, number])
    maker = list(MAKERS)[int(np.searchsorted(FRACTIONS, rng.random(), side="right"))]
    return maker(rng)
