"""The report: features, data, figures and derivation of a model on one page."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from sparsebp import __version__
from sparsebp._documentation import documentation
from sparsebp._files import named, writing
from sparsebp._shapes import PatchShape
from sparsebp.report.figures import drawings
from sparsebp.report.filters import describe_filters
from sparsebp.report.mathematics import mathematics
from sparsebp.report.measurements import METHODS, Measurements, Summary
from sparsebp.report.pictures import patch_pictures, photograph

#: Pages of the documentation that the page links to, and their titles.
_DOCUMENTED = {
    "backpropagation": "Deriving gradients by backpropagation",
    "guide/complex_cells": "Complex cells",
    "guide/orthonormal_ica": "Orthonormal ICA",
    "guide/pictures": "Displays",
    "guide/reconstruction_ica": "Reconstruction ICA",
    "guide/sparse_coding": "Sparse coding",
    "guide/sparse_filtering": "Sparse filtering",
    "guide/topographic": "Topographic maps",
    "guide/watching": "Watching a fit",
}
#: Images and patches shown.
IMAGES_SHOWN, _PATCHES = 6, 96
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba")


def write_report(
    path: str | Path,
    estimator: Any,
    samples: Any,
    *,
    patch_shape: PatchShape = None,
    title: str | None = None,
    command: str | None = None,
    run: Mapping[str, Any] | None = None,
    images: Sequence[ArrayLike] = (),
) -> None:
    """Write one self-contained HTML page about a fitted model.

    The page needs no other file and no network. It links to the documentation where that has been
    built, and names its pages elsewhere.

    Parameters
    ----------
    path : path
        The file to write.
    estimator : SparseCoding, ReconstructionICA, OrthonormalICA or SparseFiltering
        Fitted.
    samples : array-like of shape (n_samples, n_features)
        Samples like those that the model learned from. The first 5000 are used to measure its
        coefficients.
    patch_shape : int or tuple of int, default=None
        As in `displays.BasisDisplay`; None takes the estimator's, else square patches.
    title : str, default=None
        Headline; None states how many features were learned by which method.
    command : str, default=None
        The command that reproduces the run.
    run : mapping of str to value, default=None
        Other facts about the run, such as the names of the images and the seed.
    images : sequence of array-like of shape (height, width) or (height, width, 3), default=()
        Images that the samples were drawn from, prepared as for the model; the first 6 are shown.

    Raises
    ------
    TypeError
        If the estimator is none of the package's four.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ValueError
        If samples or patch_shape do not fit it, or an image has another shape.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sparsebp import ReconstructionICA
    >>> from sparsebp.report import write_report
    >>> X = np.random.default_rng(0).laplace(size=(100, 9))
    >>> model = ReconstructionICA(4, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(Path(folder) / "report.html", model, X)
    ...     (Path(folder) / "report.html").read_text("utf-8")[:15]
    '<!doctype html>'
    """
    path = named(path)
    if not isinstance(estimator, tuple(METHODS)):
        names = ", ".join(kind.__name__ for kind in METHODS)
        raise TypeError(f"estimator is a {type(estimator).__name__}; give one of {names}.")
    check_is_fitted(estimator)
    measured = Measurements.of(estimator, samples, patch_shape)
    write_page(path, measured, title=title, command=command, run=run, images=images)


def write_page(
    path: Path,
    measured: Measurements,
    *,
    title: str | None = None,
    command: str | None = None,
    run: Mapping[str, Any] | None = None,
    images: Sequence[ArrayLike] = (),
) -> None:
    """Write the page about a model that has been measured; see `write_report`."""
    filters = describe_filters(measured)
    page = _template().render(
        title=title or measured.title,
        estimator=measured.estimator,
        numbers=_numbers(measured.summary),
        note=_note(measured),
        command=command,
        run={**(run or {}), **_versions()},
        filters=filters,
        details=[{"gabor": f.gabor, "facts": f.facts} for f in filters],
        columns=measured.basis.grid_shape[1],
        photographs=[photograph(image) for image in images[:IMAGES_SHOWN]],
        patches=patch_pictures(measured.samples[:_PATCHES], measured.basis.patch_shape),
        drawings=list(drawings(measured)),
        mathematics=mathematics(measured.estimator),
        documentation=documentation(),
        documented=_DOCUMENTED,
        guide=f"guide/{measured.method.replace(' ', '_').lower()}",
    )
    with writing(path) as file:
        file.write(page.encode())


def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("sparsebp.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _numbers(summary: Summary) -> list[tuple[str, str]]:
    """Return the numbers at the top of the page, each with its meaning."""
    found = summary.features
    numbers = [
        (f"{summary.objective:.4g}", f"objective after {summary.n_iter} iterations"),
        (f"{found.kurtosis:.1f}", "kurtosis of the coefficients; a Gaussian has 3"),
        (f"{found.near_zero:.0%}", "of the coefficients near zero"),
        (f"{found.gabor_r2:.2f}", "median R² of the best Gabor functions"),
    ]
    if found.explained_variance is not None:
        explained = f"{found.explained_variance:.0%}"
        numbers.insert(1, (explained, "of the patches' variance explained"))
    if found.silent:
        numbers.append((f"{found.silent}", f"of {found.n_components} silent, drawn gray"))
    return numbers


def _note(measured: Measurements) -> str:
    """Say which samples the numbers were computed from."""
    batch = getattr(measured.estimator, "batch_size", None)
    on = f"the last batch of {batch} patches" if batch else "all training patches"
    return (
        f"The objective is that of {on}; all other numbers are from {len(measured.samples)} "
        "patches. A coefficient is near zero if it is at most a tenth of the root mean square of "
        "all coefficients; otherwise the patch uses the feature. The kurtosis is that of all "
        "coefficients together."
    )


def _versions() -> dict[str, str]:
    """Return the versions of the libraries that made the page."""
    own = [f"sparsebp {__version__}", f"Python {platform.python_version()}"]
    return {"versions": ", ".join([*own, *(f"{name} {version(name)}" for name in _LIBRARIES)])}
