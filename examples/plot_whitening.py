"""
What whitening does
===================

In photographs coarse structure has most of the variance. Whitening gives all frequencies about
equal weight, so that a model learns the shape of edges and not the spectrum. There are several ways
to whiten.
"""

# %%
# A photograph before and after whitening as a whole.

import matplotlib.pyplot as plt

from sparsebp import SparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay, SpectrumDisplay
from sparsebp.preprocessing import Whitening, remove_mean, sample_patches, whiten_images

photographs = load_sample_photographs()
whitened = whiten_images(photographs)
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for ax, image, title in zip(
    axes, (photographs[0], whitened[0]), ("original", "whitened"), strict=True
):
    spread = 3 * image.std()
    ax.imshow(image - image.mean(), cmap="gray", vmin=-spread, vmax=spread)
    ax.set(title=title)
    ax.set_axis_off()

# %%
# The spectrum of patches before whitening: a few directions hold most of the variance. Orthonormal
# ICA with ``whiten=0.99`` keeps the fewest that hold 99 % of it.

raw = remove_mean(sample_patches(photographs, 8, 10_000, random_state=0))
SpectrumDisplay.from_samples(raw).plot(fractions=(0.9, 0.99))

# %%
# What sparse coding learns from each. Without whitening some atoms are smooth gradients. Whitened
# images give edges of all orientations: ``whiten_images`` attenuates the highest frequencies, which
# are mostly noise. ZCA attenuates them by its regularization, here not enough: many atoms are fine
# checkerboards, and most of them without any.

samples = {
    "not whitened": raw,
    "whitened images": remove_mean(sample_patches(whitened, 8, 10_000, random_state=0)),
    "ZCA, ε = 10⁻²": Whitening("zca", regularization=1e-2).fit_transform(raw),
    "ZCA, ε = 0": Whitening("zca", regularization=0.0).fit_transform(raw),
}
model = SparseCoding(
    64, penalty="l1", alpha=1.0, solver="online", batch_size=256, max_iter=150, random_state=0
)
figure, axes = plt.subplots(2, 2, figsize=(7, 7.4), layout="constrained")
for ax, (name, X) in zip(axes.flat, samples.items(), strict=True):
    BasisDisplay.from_estimator(model.fit(X / X.std())).plot(ax, title=name)
