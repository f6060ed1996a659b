"""Measurements of `scripts/validate.py`: a module per subject, each with `rows(setting)`."""
