"""Figures of learned features and fits.

Displays store their data and draw on request, by `plot`, which returns the display.
"""

from sparsebp.displays.basis import BasisDisplay
from sparsebp.displays.binocular import BinocularDisplay
from sparsebp.displays.coefficients import CoefficientsDisplay
from sparsebp.displays.color import ColorDisplay
from sparsebp.displays.comparison import ComparisonDisplay
from sparsebp.displays.gabor import GaborDisplay
from sparsebp.displays.map import MapDisplay
from sparsebp.displays.mosaic import filter_mosaic
from sparsebp.displays.motion import MotionDisplay
from sparsebp.displays.objective import ObjectiveDisplay
from sparsebp.displays.reconstruction import ReconstructionDisplay
from sparsebp.displays.shape import ShapeDisplay
from sparsebp.displays.spectrum import SpectrumDisplay
from sparsebp.displays.stability import StabilityDisplay
from sparsebp.displays.tuning import TuningDisplay

__all__ = [
    "BasisDisplay",
    "BinocularDisplay",
    "CoefficientsDisplay",
    "ColorDisplay",
    "ComparisonDisplay",
    "GaborDisplay",
    "MapDisplay",
    "MotionDisplay",
    "ObjectiveDisplay",
    "ReconstructionDisplay",
    "ShapeDisplay",
    "SpectrumDisplay",
    "StabilityDisplay",
    "TuningDisplay",
    "filter_mosaic",
]
