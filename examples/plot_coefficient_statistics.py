"""
How sparse are the coefficients?
================================

Olshausen and Field (1996) compared the coefficients of learned atoms with those of random
functions: those of learned atoms are mostly near zero and occasionally large, and need fewer bits.
"""

# %%
# The same patches in four bases of 64 functions: learned, the pixels, a Fourier-like one (the
# discrete cosine transform), and random ones.

import matplotlib.pyplot as plt
import numpy as np
from scipy.fft import idctn

from sparsebp import OrthonormalICA
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import CoefficientsDisplay
from sparsebp.metrics import coefficient_entropy, coefficient_kurtosis
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 10_000, random_state=0))
patches /= patches.std()

cosines = np.array([idctn(unit.reshape(8, 8), norm="ortho").ravel() for unit in np.eye(64)[1:]])
random = np.random.default_rng(0).normal(size=(64, 64))
random /= np.linalg.norm(random, axis=1, keepdims=True)
model = OrthonormalICA(random_state=0, tol=1e-4).fit(patches)
codes = {
    "learned": model.transform(patches),
    "pixels": patches,
    "cosines": patches @ cosines.T,
    "random": patches @ random.T,
}
for name, s in codes.items():
    s = s / s.std(axis=0)
    bits = coefficient_entropy(s, step=0.1)
    print(f"{name:8s} kurtosis {coefficient_kurtosis(s):5.1f}, {bits:.2f} bits per coefficient")

# %%
# On a logarithmic axis a Gaussian is a parabola. Every basis has heavier tails than that, even
# random functions, since contrast differs between patches. The learned coefficients have the
# largest kurtosis; in bits, the cosines, which JPEG uses, are as good on patches as small as these.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
for ax, name in zip(axes, ("learned", "random"), strict=True):
    CoefficientsDisplay(codes[name] / codes[name].std(axis=0), label=name).plot(ax)
