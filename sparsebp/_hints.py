"""Parameter names and values of other packages, and their names here.

One table for all estimators: the error for a wrong name or value contains the right one. A test
compares it with the tables in ``docs/migration.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from inspect import Parameter, signature
from typing import Any, NamedTuple, ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Hint(NamedTuple):
    """Parameters with the same meaning here, of which an estimator's first is used, and advice."""

    names: tuple[str, ...]
    words: str = ""


#: Package → its parameter's name → what to write here.
NAMES: dict[str, dict[str, Hint]] = {
    "scikit-learn": {
        "dict_init": Hint(("init",)),
        "code_init": Hint((), "The codes' start is not a parameter."),
        "fit_algorithm": Hint(("solver",)),
        "transform_algorithm": Hint(
            ("penalty",),
            "The codes minimize ‖As − x‖² + α S(s) with this penalty; n_nonzero or error selects "
            "orthogonal matching pursuit ('omp').",
        ),
        "transform_n_nonzero_coefs": Hint(("n_nonzero",)),
        "transform_alpha": Hint(("alpha",), "It is twice scikit-learn's."),
        "transform_max_iter": Hint((), "Codes are always computed to convergence."),
        "positive_code": Hint(("penalty",), "Write penalty=L1(positive=True)."),
        "positive_dict": Hint(("positive_basis",)),
        "split_sign": Hint((), "Write SparseCoder(model.components_, split_sign=True)."),
        "shuffle": Hint((), "Batches are always drawn at random."),
        "max_no_improvement": Hint(("tol",), "ObjectiveMonitor(patience=...) stops fits, too."),
        "fun": Hint(("penalty",), "'log_cosh' is FastICA's 'logcosh', 'welsch' its 'exp'."),
        "fun_args": Hint(("penalty",), "Write penalty=LogCosh(a)."),
        "algorithm": Hint(
            ("solver", "penalty"),
            "n_nonzero or error selects orthogonal matching pursuit ('omp').",
        ),
        "positive": Hint(("penalty",), "Write penalty=L1(positive=True)."),
        "whiten_solver": Hint(("whiten",)),
        "w_init": Hint(("init",), "It filters samples as given, not whitened ones."),
    },
    "MATLAB": {
        "q": Hint(("n_components",)),
        "Lambda": Hint(("alpha",), "It is 1/Lambda."),
        "ContrastFcn": Hint(
            ("penalty",), "'sqrt' is 'smooth_l1' with epsilon=1e-8, 'exp' is 'welsch'."
        ),
        "NonGaussianityIndicator": Hint(("signs",)),
        "InitialTransformWeights": Hint(("init",), "It is the transpose, filters in rows."),
        "Standardize": Hint((), "Use make_pipeline(StandardScaler(), ...)."),
        "IterationLimit": Hint(("max_iter",)),
        "GradientTolerance": Hint(("tol",)),
        "StepTolerance": Hint(("tol",)),
        "VerbosityLevel": Hint(("verbose",)),
    },
    "others": {
        **dict.fromkeys(
            ("k", "K", "n_atoms", "n_filters", "n_hidden", "n_sources", "n_dict"),
            Hint(("n_components",)),
        ),
        "n_features": Hint(
            ("n_components",), "The number of features is taken from X in fit."
        ),
        **dict.fromkeys(
            ("lambda", "lambda_", "lambd", "lam", "lamda", "lambda1", "beta", "sparsity", "C"),
            Hint(("alpha",)),
        ),
        **dict.fromkeys(("n_nonzero_coefs", "L"), Hint(("n_nonzero",))),
        "lambda2": Hint(("gamma",)),
        "weight_decay": Hint(("gamma",)),
        **dict.fromkeys(("eps", "epsilon"), Hint(("epsilon", "regularization"))),
        **dict.fromkeys(("contrast", "nonlinearity", "sparsity_function", "cost"),
                        Hint(("penalty",))),
        **dict.fromkeys(("D", "dictionary"), Hint(("dictionary", "init"),
                        "SparseCoder does not change a given dictionary.")),
        **dict.fromkeys(("W", "weights", "components"), Hint(("init",))),
        "extended": Hint(("signs",)),
        "ortho": Hint((), "OrthonormalICA has orthonormal filters, ReconstructionICA free ones."),
        **dict.fromkeys(
            ("n_iter", "iter", "maxiter", "max_iterations", "n_epochs", "epochs"),
            Hint(("max_iter",)),
        ),
        **dict.fromkeys(("tolerance", "ftol", "gtol"), Hint(("tol",))),
        **dict.fromkeys(("learning_rate", "lr", "step_size"),
                        Hint((), "Step sizes are found by line search.")),
        **dict.fromkeys(("batchsize", "minibatch_size"), Hint(("batch_size",))),
        **dict.fromkeys(("seed", "rng"), Hint(("random_state",))),
        **dict.fromkeys(("numThreads", "n_threads", "n_workers"), Hint(("n_jobs",))),
        "posAlpha": Hint(("penalty",), "Write penalty=L1(positive=True)."),
        "posD": Hint(("positive_basis",)),
        "whitening": Hint(("whiten",)),
        "method": Hint(("solver",)),
    },
}  # fmt: skip

#: Parameter → another package's value → what to write here.
VALUES: dict[str, dict[str, str]] = {
    "penalty": {
        "logcosh": "'log_cosh'",
        "tanh": "'log_cosh', whose derivative is tanh",
        "exp": "'welsch', which is larger by a constant",
        "gauss": "'welsch'",
        "sqrt": "'smooth_l1'",
        "l1_smooth": "'smooth_l1'",
        **dict.fromkeys(("lasso", "lasso-cd", "lasso-lars"), "'l1'"),
        "omp": "n_nonzero=... or error=... instead of a penalty",
        **dict.fromkeys(("isa", "group_lasso", "group"), "'subspace', with group_size"),
        **dict.fromkeys(("log", "student"), "'cauchy', log(1 + s²)"),
        **dict.fromkeys(
            ("cube", "pow3"),
            "'log_cosh' or 'welsch'; a fourth power, dominated by outliers, is not available",
        ),
        "l0": "'l1', or 'cauchy', which is closer to counting",
    },
    "whiten": {
        "unit-variance": "True",
        "arbitrary-variance": "True; the components then have unit variance",
        "zca": "True, or use Whitening('zca') as the first step of a pipeline",
        "pca": "True",
    },
    "solver": {
        **dict.fromkeys(
            ("cd", "lasso_cd", "lars", "lasso_lars", "fista", "ista"),
            "'lbfgs', which finds the same exact codes with penalty='l1'",
        ),
        "l-bfgs": "'lbfgs'",
        "minibatch": "'online'",
        "sgd": "'online' in SparseCoding, 'lbfgs' elsewhere",
        **dict.fromkeys(
            ("parallel", "deflation"), "'lbfgs'; all components are always found together"
        ),
        "picard": "'lbfgs' or 'manifold'",
    },
    "method": {"zca-cor": "'zca'", "svd": "'pca'", "eigh": "'pca'", "cholesky": "'pca' or 'zca'"},
}


def about_value(parameter: str, value: Any, choices: Iterable[str] = ()) -> str:
    """Return advice for another package's value of a parameter, or a near miss of one of `choices`.

    It starts with a space; it is empty if there is none.

    Examples
    --------
    >>> about_value("penalty", "logcosh")
    " For 'logcosh' write 'log_cosh'."
    >>> about_value("penalty", "smooth-L1", ["smooth_l1"])
    " For 'smooth-L1' write 'smooth_l1'."
    """
    if not isinstance(value, str):
        return ""
    known = VALUES.get(parameter, {})
    found = known.get(value) or known.get(value.lower().replace("_", "-"))
    if found is None:
        near = get_close_matches(value.lower().replace("-", "_"), list(choices), 1, 0.7)
        found = repr(near[0]) if near else None
    return f" For {value!r} write {found}." if found else ""


def about_name(kind: str, name: str, parameters: Iterable[str]) -> str:
    """Return the message that a class has no such parameter, with advice.

    Examples
    --------
    >>> about_name("ReconstructionICA", "Lambda", ["n_components", "alpha"])
    "ReconstructionICA has no parameter 'Lambda'; write alpha instead. It is 1/Lambda."
    """
    own = list(parameters)
    refusal = f"{kind} has no parameter {name!r}"
    hint = next((table[name] for table in NAMES.values() if name in table), None)
    if hint is None:
        bare = name.lower().strip("_")
        close = [bare] if bare in own else get_close_matches(bare, own, 1, 0.75)
        hint = Hint(tuple(close))
    here = next((candidate for candidate in hint.names if candidate in own), None)
    if here is not None:
        return f"{refusal}; write {here} instead. {hint.words}".rstrip()
    if hint.words and not hint.names:
        return f"{refusal}. {hint.words}"
    return f"{refusal}; it has {', '.join(own)}."


#: Another package's class or function → what is like it here.
CLASSES: dict[str, str] = {
    **dict.fromkeys(("FastICA", "fastica", "Picard", "picard", "ICA", "Infomax"), "OrthonormalICA"),
    **dict.fromkeys(("RICA", "Rica", "rica", "ReconstructionIca"), "ReconstructionICA"),
    **dict.fromkeys(
        ("DictionaryLearning", "dict_learning", "KSVD", "ksvd", "SparsePCA", "Topographic"),
        "SparseCoding",
    ),
    **dict.fromkeys(
        ("MiniBatchDictionaryLearning", "dict_learning_online", "trainDL"),
        "SparseCoding, with solver='online'",
    ),
    **dict.fromkeys(
        ("lasso", "omp", "orthogonal_mp", "OrthogonalMatchingPursuit"), "sparse_encode"
    ),
    **dict.fromkeys(("sparsefilt", "sparseFiltering"), "SparseFiltering"),
    **dict.fromkeys(("PCA", "ZCA", "whiten"), "preprocessing.Whitening"),
    **dict.fromkeys(
        ("extract_patches_2d", "PatchExtractor", "view_as_windows"), "preprocessing.sample_patches"
    ),
}


def about_attribute(name: str, own: Iterable[str]) -> str:
    """Return the message that the package has no such attribute, with advice.

    Examples
    --------
    >>> about_attribute("FastICA", [])
    "sparsebp has no attribute 'FastICA'; use sparsebp.OrthonormalICA."
    >>> about_attribute("Whitening", ["preprocessing"])
    "sparsebp has no attribute 'Whitening'; use sparsebp.preprocessing.Whitening."
    """
    own = list(own)
    near = get_close_matches(name, own, 1, 0.75)
    here = _in_subpackage(name, own) or CLASSES.get(name) or (near[0] if near else None)
    advice = f"; use sparsebp.{here}" if here else ""
    return f"sparsebp has no attribute {name!r}{advice}."


def _in_subpackage(name: str, own: Iterable[str]) -> str | None:
    modules = (m for m in own if find_spec(f"sparsebp.{m}"))
    return next(
        (f"{m}.{name}" for m in modules if name in import_module(f"sparsebp.{m}").__all__), None
    )


class Hinted:
    """Mixin whose subclasses answer unknown parameters with advice.

    Each subclass's ``__init__`` is wrapped, its signature kept, which scikit-learn reads.
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "__init__" in vars(cls):
            cls.__init__ = _hinting(cls.__init__)

    def set_params(self, **parameters: Any) -> Any:
        """Set parameters by name; an unknown one is a ValueError with advice."""
        own = _parameters(type(self).__init__)
        for name in parameters:
            if name.partition("__")[0] not in own:
                raise ValueError(about_name(type(self).__name__, name, own))
        return super().set_params(**parameters)  # type: ignore[misc]


def _parameters(init: Callable[..., None]) -> list[str]:
    return [name for name in signature(init).parameters if name != "self"]


def hinted(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Decorate a function: it answers unknown parameters with advice, as classes do."""
    own = list(signature(function).parameters)

    @wraps(function)
    def wrapped(*arguments: Given.args, **keywords: Given.kwargs) -> Result:
        for name in keywords:
            if name not in own:
                raise TypeError(about_name(function.__name__, name, own))
        return function(*arguments, **keywords)

    return wrapped


def _hinting(init: Callable[..., None]) -> Callable[..., None]:
    own = _parameters(init)
    if any(p.kind is Parameter.VAR_KEYWORD for p in signature(init).parameters.values()):
        return init

    @wraps(init)
    def wrapped(self: Any, *arguments: Any, **keywords: Any) -> None:
        for name in keywords:
            if name not in own:
                raise TypeError(about_name(type(self).__name__, name, own))
        init(self, *arguments, **keywords)

    return wrapped
