"""Pairs of steps and changes of the gradient."""

import numpy as np

from sparsebp.minimizers.two_loop import product_along


def test_only_pairs_with_positive_curvature_are_usable():
    step = np.array([1.0, 2.0])
    for change, usable in ((3 * step, True), (-step, False), (np.array([2.0, -1.0]), False)):
        bend, found = product_along(step, change, np.vdot)
        assert (bend, bool(found)) == (step @ change, usable)
