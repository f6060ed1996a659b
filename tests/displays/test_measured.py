import numpy as np
import pytest

from sparsebp import load_basis
from sparsebp.displays import (
    BasisDisplay,
    BinocularDisplay,
    ColorDisplay,
    GaborDisplay,
    MapDisplay,
    MotionDisplay,
    ShapeDisplay,
)
from sparsebp.metrics import (
    binocular_tuning,
    color_tuning,
    compare_dictionaries,
    gabor_fit,
    grating_responses,
    motion_tuning,
)

FILTERS = np.random.default_rng(0).normal(size=(4, 48))
MEASURED = BinocularDisplay, ColorDisplay, MotionDisplay
OF_FILTERS = *MEASURED, BasisDisplay, GaborDisplay, MapDisplay, ShapeDisplay
RESULTS = {
    "BinocularDisplay takes the filters": binocular_tuning(FILTERS, (2, 4, 6)),
    "ColorDisplay takes the filters": color_tuning(FILTERS, (4, 4, 3)),
    "MotionDisplay takes the filters": motion_tuning(FILTERS, (3, 4, 4)),
    "GaborDisplay takes the filters": gabor_fit(FILTERS, (4, 4, 3)),
    "TuningDisplay draws it": grating_responses(FILTERS, (6, 8)),
    "ComparisonDisplay draws it": compare_dictionaries(FILTERS, FILTERS),
}


@pytest.mark.parametrize("display", OF_FILTERS)
def test_an_estimator_in_place_of_its_filters_gets_from_estimator(display):
    model = load_basis("sparse-coding-8x8")
    with pytest.raises(TypeError, match=rf"SparseCoding\. Give {display.__name__}\.from_"):
        display(model)
    with pytest.raises(TypeError, match="the class SparseCoding"):
        display(type(model))


@pytest.mark.parametrize("display", OF_FILTERS)
@pytest.mark.parametrize("instead", list(RESULTS))
def test_what_was_measured_in_place_of_filters_gets_its_display(display, instead):
    name = type(RESULTS[instead]).__name__
    with pytest.raises(TypeError, match=rf"a filter in each row, got .* {name}\. {instead}"):
        display(RESULTS[instead])


@pytest.mark.parametrize("display", [BinocularDisplay, MotionDisplay])
def test_a_shape_that_is_needed_is_named(display):
    with pytest.raises(ValueError, match=r"patch_shape must be \(.*height, width\).*, got None"):
        display(FILTERS)
