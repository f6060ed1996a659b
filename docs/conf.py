"""How the pages are built: python -m sphinx -W --keep-going -b html docs docs/_build/html."""

import logging
import os
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]
os.environ["MPLBACKEND"] = "Agg"
# The gallery's problems are small; a second BLAS thread would only slow them down.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["SPARSEBP_DOCS"] = ".."  # seen from the gallery's pages

import sparsebp

# The gallery shows warnings without the path of the machine that built it.
warnings.formatwarning = lambda message, category, *_, **__: f"{category.__name__}: {message}\n"
logging.getLogger("sparsebp").setLevel(logging.WARNING)  # the theme's colors switch more on

project = "sparsebp"
author = "the authors of sparsebp"
version = release = sparsebp.__version__
extensions = [
    "command_output",
    "delta_tables",
    "mathml",
    "myst_parser",
    "network_diagrams",
    "numpydoc",
    "public_names",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "**/*.py", "**/*.ipynb", "**/GALLERY_HEADER.rst"]
templates_path = ["_templates"]
highlight_language = "none"  # fences say their language; what is indented has none
html_theme = "furo"
html_title = f"sparsebp {version}"
html_static_path = ["_static"]
html_css_files = ["sparsebp.css"]
html_copy_source = False
html_show_copyright = False
html_math_renderer = "mathml"
smartquotes = False  # docstrings and tables hold quotes that are code

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "autolink"
numpydoc_show_class_members = False
autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_typehints = "none"

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "gallery",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "capture_repr": ("_repr_html_",),
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "reset_modules": ("matplotlib",),
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "image_srcset": ["2x"],
}
