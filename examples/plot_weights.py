"""
What α, ε and γ do
==================

Sparse coding has three numbers to choose: α weights the penalty relative to the squared error, ε
smooths the penalty at zero, and γ, if given, is the weight decay of the atoms.
"""

# %%
# **α** determines how many atoms are used for a patch. With a small α half of them are, and their
# shapes hardly matter. With a large α they are edges and bars, few are used for each patch, and
# rare structure is lost.

import matplotlib.pyplot as plt
import numpy as np

from sparsebp import SparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 10_000, random_state=0))
patches /= patches.std()
held_out = patches[:1_000]

figure, axes = plt.subplots(1, 3, figsize=(9, 3.6), layout="constrained")
for ax, alpha in zip(axes, (0.1, 1.0, 4.0), strict=True):
    model = SparseCoding(
        64, penalty="l1", alpha=alpha, solver="online", batch_size=256, max_iter=200, random_state=0
    ).fit(patches[1_000:])
    codes = model.transform(held_out)
    lost = np.square(held_out - model.inverse_transform(codes)).mean()
    used = (codes != 0).sum(axis=1).mean()
    title = f"α = {alpha:g}: {used:.0f} atoms per patch,\n{lost:.0%} lost"
    BasisDisplay.from_estimator(model).plot(ax, title=title)

# %%
# **ε** smooths √(s² + ε) over a width of about √ε. A coefficient much smaller than that costs
# hardly more than zero, so the codes are small rather than zero; a small ε is close to the absolute
# value, and the optimizer needs more iterations.

s = np.linspace(-1, 1, 401)
figure, ax = plt.subplots(figsize=(5, 3.2), layout="constrained")
for epsilon, style in ((1e-1, "-."), (1e-2, "--"), (1e-3, ":")):
    ax.plot(s, np.sqrt(s**2 + epsilon), "k", linestyle=style, label=f"ε = {epsilon:g}")
ax.plot(s, np.abs(s), "0.6", label="|s|")
ax.set(xlabel="s", ylabel="√(s² + ε)", ylim=(0, 1.1))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)

# %%
# **γ** is the tutorial's replacement for unit-norm atoms, the default. An atom with a larger norm
# needs smaller coefficients, which cost less, so the norms must be bounded. With weight decay the
# norm of each atom is free: frequently used atoms grow, rarely used ones nearly vanish.

figure, ax = plt.subplots(figsize=(5, 3.2), layout="constrained")
for gamma, style in ((0.02, "-"), (0.1, "--"), (0.5, ":")):
    model = SparseCoding(
        64, alpha=1.0, gamma=gamma, solver="exact", batch_size=500, max_iter=20, random_state=0
    ).fit(patches)
    lengths = np.sort(np.linalg.norm(model.components_, axis=1))[::-1]
    ax.plot(lengths, "k", linestyle=style, label=f"γ = {gamma:g}")
ax.axhline(1, color="0.6", label="γ = None")
ax.set(xlabel="atoms, in order of norm", ylabel="norm", ylim=(0, None))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
