"""The command `sparsebp`; the only place, beside the scripts, that prints."""

from sparsebp.cli.app import main
from sparsebp.cli.learning import run_experiment, save_picture
from sparsebp.cli.recipe import Recipe

__all__ = ["Recipe", "main", "run_experiment", "save_picture"]
