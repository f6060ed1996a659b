"""Learn the features of natural images, every gradient derived by backpropagation.

Sparse coding, topographic sparse coding, reconstruction ICA, orthonormal ICA and sparse filtering
behind scikit-learn's interface. ``__init__.pyi`` lists what is here; each is loaded when it is
first used, so that the command line answers at once.
"""

import lazy_loader as lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
