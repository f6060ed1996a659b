"""Fitted estimators in files next to this module, made by ``scripts/learn_bases.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparsebp._checks import check_choice

_FOLDER = Path(__file__).parent


def basis_names() -> list[str]:
    """Return the names of the bases shipped with the package.

    Returns
    -------
    names : list of str
        In alphabetical order; each ends with the size of its patches.

    Examples
    --------
    >>> from sparsebp import basis_names
    >>> "rica-12x12" in basis_names()
    True
    """
    return sorted(path.stem for path in _FOLDER.glob("*.npz"))


def basis_file(name: str) -> Path:
    """Return the file of a basis, from which `sparsebp.read_metadata` reads how it was learned.

    Parameters
    ----------
    name : str
        One of `basis_names`.

    Returns
    -------
    path : Path
        A file that `sparsebp.load_model` reads.

    Raises
    ------
    ValueError
        If there is no basis of that name.

    Examples
    --------
    >>> from sparsebp import read_metadata
    >>> from sparsebp.bases import basis_file
    >>> read_metadata(basis_file("rica-12x12"))["patch_shape"]
    [12, 12]
    """
    names = basis_names()
    check_choice("name", name, names)
    return _FOLDER / f"{name}.npz"


def load_basis(name: str) -> Any:
    """Load one of the estimators shipped with the package, fitted to patches of images.

    All were learned by the package itself: from the two photographs that come with scikit-learn,
    or from dead leaves (`sparsebp.datasets.make_dead_leaves`). Their arrays are float32, and so
    are the codes they give.

    Parameters
    ----------
    name : str
        One of `basis_names`.

    Returns
    -------
    estimator : SparseCoding, ReconstructionICA or OrthonormalICA
        Fitted. Samples need the same preprocessing as the training samples: ``sparsebp encode``
        does it, and ``read_metadata(basis_file(name))["recipe"]`` describes it.

    Raises
    ------
    ValueError
        If there is no basis of that name.

    See Also
    --------
    sparsebp.load_model : The same for files of your own.

    Examples
    --------
    >>> from sparsebp import load_basis
    >>> load_basis("rica-12x12").n_features_in_
    144
    """
    from sparsebp.saving import load_model  # completion needs only the names

    return load_model(basis_file(name))
