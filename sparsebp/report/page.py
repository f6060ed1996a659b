"""The page: a model's features, curves and histograms, and the mathematics behind them."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sparsebp import __version__
from sparsebp._files import writing
from sparsebp._shapes import PatchShape
from sparsebp.report.figures import drawings
from sparsebp.report.filters import describe_filters
from sparsebp.report.mathematics import mathematics
from sparsebp.report.measurements import Measurements, Summary

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
) -> None:
    """Write one self-contained HTML page about a fitted model.

    The page needs nothing but itself: it opens from disk, without a network.

    Parameters
    ----------
    path : path
        Where to.
    estimator : SparseCoding, ReconstructionICA, OrthonormalICA or SparseFiltering
        Fitted.
    samples : array-like of shape (n_samples, n_features)
        Samples as the model learned from, by which its coefficients are measured; the first 5000
        are used.
    patch_shape : int or tuple of int, default=None
        As in `displays.BasisDisplay`; None takes the estimator's, else square patches.
    title : str, default=None
        Headline; None says how many features were learned by which method.
    command : str, default=None
        What repeats the run.
    run : mapping of str to value, default=None
        What else is known of the run, such as the images and the seed.

    Raises
    ------
    TypeError
        If the estimator is none of the package's four.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ValueError
        If samples or patch_shape do not fit it.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sparsebp import ReconstructionICA
    >>> from sparsebp.report import write_report
    >>> X = np.random.default_rng(0).laplace(size=(300, 16))
    >>> model = ReconstructionICA(9, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(Path(folder) / "report.html", model, X)
    ...     (Path(folder) / "report.html").read_text("utf-8")[:15]
    '<!doctype html>'
    """
    measured = Measurements.of(estimator, samples, patch_shape)
    write_page(Path(path), measured, title=title, command=command, run=run)


def write_page(
    path: Path,
    measured: Measurements,
    *,
    title: str | None = None,
    command: str | None = None,
    run: Mapping[str, Any] | None = None,
) -> None:
    """Write the page about what was measured already; see `write_report`."""
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
        drawings=drawings(measured),
        mathematics=mathematics(measured.estimator),
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
    """Return what is worth a headline, each number with what it means."""
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
    """Say what the numbers are about, in which words alone would mislead."""
    batch = getattr(measured.estimator, "batch_size", None)
    on = f"the last batch of {batch} patches" if batch else "all patches learned from"
    return (
        f"The objective is that of {on}; all else is of {len(measured.samples)} patches. Near zero "
        "is at most a tenth of the root mean square of all coefficients together, and a feature is "
        "used by a patch where it is not; the kurtosis is that of all coefficients together, too."
    )


def _versions() -> dict[str, str]:
    """Return what the page was made with."""
    own = [f"sparsebp {__version__}", f"Python {platform.python_version()}"]
    return {"made with": ", ".join([*own, *(f"{name} {version(name)}" for name in _LIBRARIES)])}
