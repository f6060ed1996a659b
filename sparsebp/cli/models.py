"""The models of `sparsebp learn`, with weights suited to whitened patches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparsebp._files import named
from sparsebp.bases import basis_file, basis_names
from sparsebp.cli.choices import Model
from sparsebp.estimators import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.recipe import Recipe

Estimator = SparseCoding | ReconstructionICA | OrthonormalICA | SparseFiltering


_KINDS: dict[Model, tuple[type[Estimator], dict[str, Any]]] = {
    Model.SPARSE_CODING: (SparseCoding, {}),
    Model.TOPOGRAPHIC: (
        SparseCoding,
        {"n_components": 121, "penalty": "topographic", "alpha": 0.6, "epsilon": 0.1},
    ),
    Model.RICA: (ReconstructionICA, {"alpha": 0.3, "whiten": 0.99}),
    Model.ICA: (OrthonormalICA, {"whiten": 0.99}),
    Model.SPARSE_FILTERING: (SparseFiltering, {"tol": 1e-5}),
}
#: Of the variance of color patches, where the model keeps a fraction: opponent colors have little.
_WHITEN_COLORS = 0.999
#: What a pursuit does not have.
_OF_A_PENALTY = ("penalty", "alpha", "gamma", "epsilon", "group_size")
#: Penalties with an ε.
_ROUNDED = ("smooth_l1", "topographic", "subspace")


def make_recipe(
    model: Model, patch_size: int | tuple[int, int], color: bool, *, whiten: bool = True
) -> Recipe:
    """Return the recipe of samples for a model; both ICAs whiten patches themselves."""
    return Recipe(
        patch_size,
        color,
        whiten=whiten and _KINDS[model][0] is SparseCoding,  # the others do it themselves
        equal_contrast=model is Model.SPARSE_FILTERING,
    )


def make_estimator(
    model: Model, n_components: int | None, *, color: bool = False, **options: Any
) -> Estimator:
    """Return an unfitted estimator; options that are None keep the model's defaults.

    An option that the model does not have is a ValueError.
    """
    kind, own = _KINDS[model]
    if color and "whiten" in own:
        own = {**own, "whiten": _WHITEN_COLORS}
    options["n_components"] = n_components
    given = {name: value for name, value in options.items() if value is not None}
    unknown = set(given) - set(kind().get_params())
    if "penalty" in own:  # it defines the model
        unknown |= {"penalty", "n_nonzero", "error"} & set(given)
    name = given.get("penalty", own.get("penalty", "smooth_l1"))
    unknown |= set() if name in _ROUNDED else {"epsilon"} & set(given)
    unknown |= set() if name == "subspace" else {"group_size"} & set(given)
    if unknown:
        option = min(unknown).replace("_", "-")
        depends = option in ("epsilon", "group-size") and "penalty" in given
        penalty = f" --penalty {name}" if depends else ""
        raise ValueError(f"--{option} does not apply to --model {model.value}{penalty}; remove it.")
    pursuit = next((name for name in ("n_nonzero", "error") if name in given), None)
    for name in _OF_A_PENALTY:
        if pursuit and name in given:
            option, instead = (n.replace("_", "-") for n in (name, pursuit))
            raise ValueError(
                f"--{option} does not apply to --{instead}, which replaces the penalty by a "
                "pursuit; remove one of them."
            )
    return kind(**{**own, **given})


def find_model(model: str) -> Path:
    """Return the file of a saved model or, if there is none of this name, of a bundled basis."""
    if named(model).exists():
        return Path(model)
    if model in basis_names():
        return basis_file(model)
    raise ValueError(
        f"{model} is neither a file nor a basis of this package; give a model saved by `sparsebp "
        f"learn`, or one of {', '.join(basis_names())}."
    )
