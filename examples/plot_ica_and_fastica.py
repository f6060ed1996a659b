"""
Orthonormal ICA and FastICA
===========================

Both find the orthonormal filters of whitened patches whose responses are least Gaussian. FastICA
takes fixed-point steps on its contrast; `OrthonormalICA` minimizes a sparsity penalty by L-BFGS,
and also supports other penalties and topographic maps.
"""

# %%
# The same patches, the same contrast (log cosh), the same number of filters. The fewest directions
# that hold 99 % of the variance are kept; the others are noise.

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import FastICA

from sparsebp import OrthonormalICA
from sparsebp.datasets import load_sample_photographs, make_mixtures
from sparsebp.displays import BasisDisplay
from sparsebp.metrics import amari_distance
from sparsebp.preprocessing import remove_mean, sample_patches

patches = remove_mean(sample_patches(load_sample_photographs(), 8, 10_000, random_state=0))

start = perf_counter()
ours = OrthonormalICA(whiten=0.99, penalty="log_cosh", random_state=0).fit(patches)
print(f"OrthonormalICA: {ours.n_iter_} iterations, {perf_counter() - start:.1f} s")

n_filters = len(ours.components_)
start = perf_counter()
fast = FastICA(n_filters, whiten="unit-variance", max_iter=400, random_state=0)
fast.fit(patches)
print(f"FastICA: {fast.n_iter_} iterations, {perf_counter() - start:.1f} s")

# %%
# The contrast that both reach, on responses of unit variance (lower is sparser). FastICA stops when
# its filters hardly rotate any more, here earlier and at a higher contrast; with many patches it is
# slower, see ``benchmarks/README.md``.

for name, responses in (
    ("OrthonormalICA", ours.transform(patches)),
    ("FastICA", fast.transform(patches)),
):
    responses = responses / responses.std(axis=0)
    print(f"{name}: {np.log(np.cosh(responses)).mean():.4f}")

# %%
# ``mixing_`` has what each component adds to a patch; a display uses it by default.

figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
BasisDisplay.from_estimator(ours).plot(axes[0], title="OrthonormalICA")
BasisDisplay(fast.mixing_.T).plot(axes[1], title="FastICA")

# %%
# With known sources, both find them. The Amari distance is 0 when the filters invert the mixing up
# to order, sign and scale.

X, mixing, _ = make_mixtures(5_000, 8, random_state=0)
for model in (OrthonormalICA(random_state=0), FastICA(random_state=0, whiten="unit-variance")):
    distance = amari_distance(model.fit(X).components_, mixing)
    print(f"{type(model).__name__}: {distance:.3f}")

# %%
# Sources may also be sub-Gaussian, for example uniform. Both methods detect this; ``signs_`` is +1
# for a sparse component and −1 for the others.

rng = np.random.default_rng(0)
sources = np.c_[rng.laplace(size=(2_000, 4)), rng.uniform(-2, 2, size=(2_000, 4))]
mixing = rng.normal(size=(8, 8))
for model in (
    OrthonormalICA(penalty="log_cosh", random_state=0),
    FastICA(random_state=0, whiten="unit-variance"),
):
    distance = amari_distance(model.fit(sources @ mixing.T).components_, mixing)
    print(f"{type(model).__name__}: {distance:.3f}", getattr(model, "signs_", ""))
