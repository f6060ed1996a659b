"""Learned bases shipped with the package: fitted estimators, by name."""

from sparsebp.bases.library import basis_file, basis_names, load_basis

__all__ = ["basis_file", "basis_names", "load_basis"]
