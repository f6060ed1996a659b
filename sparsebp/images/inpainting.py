"""Inpainting: filling the missing pixels of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sparsebp._checks import check_readable
from sparsebp._shapes import PatchShape
from sparsebp.images._dictionaries import approximated, atoms_of, cosines, sides_without_model
from sparsebp.images._patches import (
    Patches,
    Stride,
    checked_image,
    checked_mask,
    framed,
)
from sparsebp.images._smooth import filled_smoothly
from sparsebp.samples import count_threads

#: Thresholds of the iterations, in units of the error of the smooth fill: they decrease as the fill
#: improves. On photographs twice as many gain 0.1 to 0.3 dB; a last one of 0.3 loses 0.1 dB, where
#: half of the pixels of a texture are missing more than 1 dB, and takes a third longer.
_THRESHOLDS = np.geomspace(1.7, 0.7, 8)
#: Fraction of the known pixels near holes that are hidden to measure the error of a smooth fill.
_HIDDEN = 0.1


def inpaint(
    image: ArrayLike,
    model: Any = None,
    missing: ArrayLike | None = None,
    *,
    stride: Stride = 1,
    patch_shape: PatchShape = None,
    progress: bool = False,
) -> np.ndarray:
    """Fill missing pixels, first smoothly, then with the atoms of a model, or cosines.

    Holes are first filled smoothly (biharmonic). Then, in eight iterations, each patch that touches
    a hole is approximated by few atoms, as in `denoise`, and the holes are filled with the average
    of the overlapping patches. The threshold decreases from 1.7 to 0.7 times the error of the
    smooth fill, which is measured on known pixels. Known pixels are not changed.

    Parameters
    ----------
    image : array-like of shape (height, width) or (height, width, 3)
        The image or, as in `denoise`, a volume, on any scale; values at missing pixels are ignored.
    model : estimator, default=None
        A model with atoms, as in `denoise`, fitted to patches without their means. Best are a few
        times as many atoms as pixels, learned from clean photographs. None uses cosines on patches
        of 8 × 8 pixels, which are not learned.
    missing : array-like of bool, of the image's shape or (height, width), default=None
        Which pixels are missing; None takes those that are NaN. Masked ones of an image of
        `numpy.ma` are missing, too.
    stride : int, default=1
        Distance between patches in pixels.
    patch_shape : int or tuple of int, default=None
        Of the patches the model was fitted on, channels last, as in `SparseCoding`; None takes the
        model's own, else square patches of the image's channels.
    progress : bool, default=False
        Whether to show a progress bar for each iteration.

    Returns
    -------
    filled : ndarray of the image's shape
        float32 if the image is, else float64. The time is proportional to the number of patches
        that touch a hole. In holes that are larger than a patch, the result is smooth.

    Raises
    ------
    ValueError, TypeError
        If the image or the mask is invalid, a channel has no known pixel, or the model was not
        fitted to patches with as many channels or has no `inverse_transform`.

    Notes
    -----
    Iterated filling with decreasing thresholds: Guleryuz, *Nonlinear approximation
    based image recovery using adaptive sparse reconstructions and iterated denoising* (2006).

    Examples
    --------
    >>> from sparsebp import SparseCoding
    >>> from sparsebp.preprocessing import remove_mean, sample_patches
    >>> stripes = np.tile(np.sin(np.arange(24) / 2), (24, 1))
    >>> X = remove_mean(sample_patches([stripes], 6, 500, random_state=0))
    >>> model = SparseCoding(8, alpha=0.01, batch_size=100, max_iter=10, random_state=0).fit(X)
    >>> missing = np.random.default_rng(0).random((24, 24)) < 0.5
    >>> filled = inpaint(np.where(missing, np.nan, stripes), model)
    >>> bool(np.sqrt(np.square(filled - stripes).mean()) < 0.02)
    True
    """
    masked = isinstance(image, np.ma.MaskedArray)
    given = np.ma.asarray(image if masked else check_readable("image", image))
    holes, raw = checked_mask(given, missing), given.data
    known = np.where(holes, raw.dtype.type(0), raw) if holes.any() else raw
    if model is None:
        values = checked_image(known)
        sides = sides_without_model(values)
        atoms = cosines(sides, values.shape[-1])
    else:
        values, sides = framed(known, model, patch_shape)
        atoms = atoms_of(model)
    holes = holes.reshape(values.shape)
    patches = Patches(values, sides, stride)
    if not holes.any():
        return values.reshape(raw.shape).copy()
    if holes.all(axis=(-3, -2)).any():
        raise ValueError("The image, or one of its channels or frames, has no known pixel.")
    anywhere: Any = holes.any(axis=-1)
    touching = patches.touching(anywhere)
    filled = _frames_filled_smoothly(values, holes)
    error = _smooth_error(values, holes, patches, touching)
    n_threads = count_threads(getattr(model, "n_jobs", None))

    def described(filled: np.ndarray, threshold: float) -> np.ndarray:
        def work(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            samples = patches.take(numbers, filled)
            return approximated(samples, atoms, values.shape[-1], threshold**2)

        return patches.averaged(work, progress, touching, n_threads)

    for threshold in error * _THRESHOLDS if error > 0 else ():
        filled = np.where(holes, described(filled, threshold), values)
    return filled.reshape(raw.shape).astype(values.dtype, copy=False)


def _frames_filled_smoothly(image: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """Fill an image, or each frame of a volume separately."""
    shape = (-1, *image.shape[-3:])
    frames = zip(image.reshape(shape), holes.reshape(shape), strict=True)
    return np.reshape([filled_smoothly(*frame) for frame in frames], image.shape)


def _smooth_error(
    image: np.ndarray, holes: np.ndarray, patches: Patches, touching: np.ndarray
) -> float:
    """Hide some known pixels near holes; return the root mean square error of a smooth fill."""
    near = np.zeros(image.shape, dtype=bool)
    near.flat[patches.pixels(touching)] = True
    known = near & ~holes
    inner = np.zeros_like(known)
    inner[..., 2:-2, 2:-2, :] = True  # at the border a smooth fill has errors even on a slope
    seen = np.flatnonzero(known & inner if (known & inner).any() else known)
    # Drawn by number: a mask that was drawn with the same seed must not coincide.
    drawn = np.random.default_rng(0).permutation(seen.size)[: int(np.ceil(_HIDDEN * seen.size))]
    hidden = np.zeros(image.shape, dtype=bool)
    hidden.flat[seen[drawn]] = True
    if (holes | hidden).all(axis=(-3, -2)).any():
        return 0.0
    wrong = (_frames_filled_smoothly(image, holes | hidden) - image)[hidden]
    error = float(np.sqrt(np.square(wrong).mean()))
    return error if error > 1e-9 * float(np.abs(image).max()) else 0.0
