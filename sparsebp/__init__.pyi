# What `import sparsebp` offers, loaded when it is first used.
from . import bases as bases
from . import callbacks as callbacks
from . import coding as coding
from . import datasets as datasets
from . import displays as displays
from . import estimators as estimators
from . import images as images
from . import metrics as metrics
from . import minimizers as minimizers
from . import network as network
from . import patch_stream as patch_stream
from . import penalties as penalties
from . import preprocessing as preprocessing
from . import problems as problems
from . import recipe as recipe
from . import report as report
from . import samples as samples
from . import saving as saving
from .bases import basis_names as basis_names
from .bases import load_basis as load_basis
from .estimators import ConvolutionalSparseCoding as ConvolutionalSparseCoding
from .estimators import OrthonormalICA as OrthonormalICA
from .estimators import ReconstructionICA as ReconstructionICA
from .estimators import SparseCoder as SparseCoder
from .estimators import SparseCoding as SparseCoding
from .estimators import SparseFiltering as SparseFiltering
from .estimators import sparse_encode as sparse_encode
from .patch_stream import PatchStream as PatchStream
from .recipe import Recipe as Recipe
from .saving import load_model as load_model
from .saving import read_metadata as read_metadata
from .saving import save_model as save_model

__version__: str
