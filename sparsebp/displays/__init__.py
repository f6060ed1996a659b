"""Pictures of what was learned and how: displays that store their data and draw on request."""

from sparsebp.displays.basis import BasisDisplay
from sparsebp.displays.mosaic import filter_mosaic
from sparsebp.displays.objective import ObjectiveDisplay

__all__ = ["BasisDisplay", "ObjectiveDisplay", "filter_mosaic"]
