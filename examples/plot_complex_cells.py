"""
Simple and complex cells
========================

Simple cells of visual cortex respond to an edge of one phase, complex cells to an edge of any
phase. If the penalty sums norms of groups of four responses, S(s) = Σ √(s₁² + … + s₄² + ε), the
four filters of a group span a subspace, in which an edge may have any phase: the norm is a complex
cell (Hyvärinen & Hoyer, *Neural Computation* 12, 2000).
"""

# %%
# 24 subspaces of 4 filters. The filters of a subspace have the same orientation, frequency and
# place, but different phases. That they belong together is learned; which rotation of the four is
# found is arbitrary.

import numpy as np

from sparsebp import OrthonormalICA, load_basis
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay, TuningDisplay
from sparsebp.metrics import grating_responses
from sparsebp.preprocessing import remove_mean, sample_patches

patches = remove_mean(sample_patches(load_sample_photographs(), 12, 10_000, random_state=0))
model = OrthonormalICA(96, penalty="subspace", group_size=4, tol=1e-5, random_state=0).fit(patches)
BasisDisplay.from_estimator(model).plot()

# %%
# As physiologists do, we present gratings of all orientations and frequencies, and let the best
# one of each cell drift. A filter whose negative part is cut off is a simple cell; the norm of a
# subspace is a complex cell. Curves are medians, the bands have 80 % of the cells. Both kinds are
# tuned to orientation and frequency, but complex cells hardly to phase. F1 / F0 compares the
# oscillation of the response with its mean: it is above 1 for simple cells, below 1 for complex.

filters = model.components_
cells = {
    "filters": grating_responses(filters, 12),
    "subspaces": grating_responses(filters, 12, groups=model.penalty_.grouping),
}
TuningDisplay(cells).plot()

# %%
# For these models F1 / F0 is known in advance: a linear response that is cut off at 0 has
# π/2 = 1.57, and a norm, for which the sign of a grating does not matter, has 0. How invariant to
# phase a norm is, its second harmonic tells: F2 / F0 is 2/3 for the magnitude of a single filter
# and 0 if the phase does not matter. Random groups of the same filters show what learning them
# adds, and on a topographic map the neighborhoods of 3 × 3 filters are complex cells, too. Their
# dashed line is that of a single filter.

shuffled = np.random.default_rng(0).permutation(96)
map_ = OrthonormalICA(96, penalty="topographic", tol=1e-4, random_state=0).fit(patches)
cells |= {
    "random groups": grating_responses(filters[shuffled], 12, groups=model.penalty_.grouping),
    "neighborhoods": grating_responses(map_.components_, 12, groups=map_.penalty_.grouping),
}
for name, cell in cells.items():
    ratios = [np.median(cell.harmonic_ratio(order)) for order in (1, 2)]
    print(f"{name:14s} F1/F0 {ratios[0]:.2f}   F2/F0 {ratios[1]:.2f}")

compared = {name: cells[name] for name in ("subspaces", "random groups", "neighborhoods")}
TuningDisplay(compared).plot(panels=("phase", "second_harmonic"))

# %%
# Coefficients of sparse coding are not linear in the patch: atoms compete. So their F1 / F0 differs
# from atom to atom, and most are above π/2, since weak responses are suppressed.

sparse = load_basis("sparse-coding-8x8")
sizes = {"n_orientations": 12, "n_phases": 16, "frequencies": np.geomspace(0.06, 0.45, 8)}
linear = grating_responses(sparse.components_, 8, **sizes)
competing = grating_responses(lambda gratings: sparse.transform(2 * gratings), 8, **sizes)
TuningDisplay({"atoms as filters": linear, "sparse codes": competing}).plot(
    panels=("orientation", "phase", "modulation")
)
