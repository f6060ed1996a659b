"""Denoising images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sparsebp._checks import check_number
from sparsebp._magnitudes import check_magnitude
from sparsebp._shapes import PatchShape
from sparsebp._warnings import warn_user
from sparsebp.images._dictionaries import approximated, atoms_of, learned_atoms, sides_without_model
from sparsebp.images._patches import Patches, Stride, checked_image, framed
from sparsebp.images.noise import estimate_sigma
from sparsebp.samples import count_threads

#: Threshold in units of σ √(2 log k), which white noise rarely exceeds on any of k atoms. Best on
#: photographs: 0.85 for 63 atoms, 0.9 to 0.95 for 255, 0.95 for 1023.
_THRESHOLD = 0.93
#: White noise alone has the standard deviation σ, and clipped at black 0.58 σ.
_ABSURD = 2.0


def denoise(
    image: ArrayLike,
    model: Any = None,
    *,
    sigma: float | None = None,
    stride: Stride = 1,
    patch_shape: PatchShape = None,
    progress: bool = False,
) -> np.ndarray:
    """Approximate every patch by the few atoms above the noise, and average the patches.

    The mean of a patch (of each color) is removed. Atoms are selected one at a time by orthogonal
    matching pursuit, as long as the next one explains more than noise would: an energy of (0.93 σ)²
    2 log(number of atoms). Their coefficients are the least-squares solution, so they are not
    shrunk. Overlapping patches are averaged with weights 1/(1 + s) for s atoms, since the noise
    left in a patch is proportional to s + 1.

    Parameters
    ----------
    image : array-like of shape (height, width) or (height, width, 3)
        The noisy image, on any scale; with patches of three sides, (frames, height, width) or an
        image of other channels.
    model : estimator, default=None
        A model with atoms, fitted to patches without their means: SparseCoding, both kinds of ICA,
        a pipeline, or an estimator of scikit-learn with a linear `inverse_transform`. Only its
        atoms are used, not its α. None learns atoms of 8 × 8 pixels from the image itself.
    sigma : float, default=None
        Standard deviation σ ≥ 0 of the noise in the image's units, assumed to be white and equal in
        all channels; None estimates it with `estimate_sigma`. A warning says if it is more than
        twice the standard deviation of the image itself.
    stride : int, default=1
        Distance between patches in pixels; 1 is best and slowest. The border is always covered.
    patch_shape : int or tuple of int, default=None
        Of the patches the model was fitted on, channels last, as in `SparseCoding`; None takes the
        model's own, else square patches of the image's channels.
    progress : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    denoised : ndarray of the image's shape
        float32 if the image is, else float64; not clipped. With σ = 0 the image itself.

    Raises
    ------
    ValueError, TypeError
        If the image is not finite or smaller than a patch, sigma is not a number ≥ 0, or the model
        was not fitted to patches with as many channels or has no `inverse_transform`.

    See Also
    --------
    estimate_sigma : The noise of an image.

    Notes
    -----
    Elad & Aharon, *Image denoising via sparse and redundant representations over learned
    dictionaries* (2006), with another stopping rule and other weights. Atoms are learned by the
    method of optimal directions from about 20,000 patches, starting from cosines.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> clean = np.kron(np.indices((6, 6)).sum(axis=0) % 2, np.ones((6, 6)))
    >>> noisy = clean + 0.2 * rng.normal(size=clean.shape)
    >>> error = [float(np.square(i - clean).mean()) for i in (noisy, denoise(noisy, sigma=0.2))]
    >>> error[1] < 0.2 * error[0]
    True
    """
    if model is None:
        values = checked_image(image)
        sides = sides_without_model(values)
    else:
        values, sides = framed(image, model, patch_shape)
    sigma = _estimated(values) if sigma is None else _checked_sigma(sigma, values)
    patches = Patches(values, sides, stride)
    n_threads = count_threads(getattr(model, "n_jobs", None))
    known = None if model is None else atoms_of(model)  # or it is refused
    if sigma == 0:
        return values.reshape(np.shape(image)).copy()
    atoms = learned_atoms(patches, sigma, n_threads) if known is None else known
    gain = 2 * np.log(max(atoms.shape[1], 2)) * (_THRESHOLD * sigma) ** 2

    def clean(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return approximated(patches.take(numbers), atoms, values.shape[-1], gain)

    averaged = patches.averaged(clean, progress, n_threads=n_threads)
    return averaged.reshape(np.shape(image)).astype(values.dtype, copy=False)


def _checked_sigma(sigma: Any, image: np.ndarray) -> float:
    """Return a given σ; warn if an image cannot contain so much noise."""
    sigma = check_number("sigma", sigma, minimum=0)
    check_magnitude("sigma", np.array([sigma]))
    spread = float(image.std(dtype=np.float64))
    if sigma > _ABSURD * spread > 0:
        warn_user(
            f"sigma is {sigma:g}, but the standard deviation of the whole image is only "
            f"{spread:.2g}, so that nearly everything is removed as noise. Give sigma in the "
            "image's units, or None to estimate it."
        )
    return sigma


def _estimated(image: np.ndarray) -> float:
    """Estimate the noise of an image, or of each frame of a volume."""
    frames = image.reshape(-1, *image.shape[-3:])
    return float(np.sqrt(np.mean([estimate_sigma(frame) ** 2 for frame in frames])))
