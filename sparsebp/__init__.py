"""Learn features of images and other data, every gradient derived by backpropagation.

Sparse coding, also topographic, convolutional, with a given dictionary or missing values,
reconstruction and orthonormal ICA, also of complex cells, sparse filtering, and pooled features for
classifiers, behind scikit-learn's interface. ``__init__.pyi`` lists the public names, which are
loaded on first use to keep the command line fast.
"""

from typing import Any

import lazy_loader as lazy

__version__ = "0.1.0"

_load, __dir__, __all__ = lazy.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Load a public name, or suggest one for another package's class, or one in a subpackage."""
    if name in __all__ or name.startswith("_"):
        return _load(name)
    from sparsebp._hints import about_attribute

    raise AttributeError(about_attribute(name, __all__), name=name)
