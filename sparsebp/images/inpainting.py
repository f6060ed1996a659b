"""Filling in the missing pixels of images."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning

from sparsebp.blocks import count_threads
from sparsebp.estimators import SparseCoding
from sparsebp.images._patches import (
    Patches,
    channel_means,
    checked_image,
    checked_mask,
    side_of,
)
from sparsebp.solvers import Codes, encode


def inpaint(
    image: ArrayLike,
    model: SparseCoding,
    missing: ArrayLike | None = None,
    *,
    stride: int = 1,
    progress: bool = False,
) -> np.ndarray:
    """Fill in missing pixels by what the atoms make of those around them.

    The coefficients of a patch are found from its known pixels alone; patches that know more
    count for more where they overlap. Known pixels stay as they are.

    Parameters
    ----------
    image : array-like of shape (height, width) or (height, width, n_channels)
        The image; what stands at missing pixels does not matter.
    model : SparseCoding
        Fitted on square patches without their means.
    missing : array-like of bool, of the image's shape or (height, width), default=None
        Which pixels are missing; None takes those that are NaN.
    stride : int, default=1
        Pixels from one patch to the next.
    progress : bool, default=False
        Whether to show a bar.

    Returns
    -------
    filled : ndarray of the image's shape
        In the wider precision of the image's and the model's.

    Raises
    ------
    ValueError, TypeError
        If the image or the mask is none, or a hole is so large that a patch within it knows no
        pixel.

    Examples
    --------
    >>> from sparsebp import SparseCoding
    >>> from sparsebp.preprocessing import remove_mean, sample_patches
    >>> stripes = np.tile(np.sin(np.arange(24) / 2), (24, 1))
    >>> X = remove_mean(sample_patches([stripes], 6, 500, random_state=0))
    >>> model = SparseCoding(8, alpha=0.01, batch_size=100, max_iter=20, random_state=0).fit(X)
    >>> missing = np.random.default_rng(0).random((24, 24)) < 0.5
    >>> filled = inpaint(np.where(missing, np.nan, stripes), model)
    >>> bool(np.sqrt(np.square(filled - stripes).mean()) < 0.1)
    True
    """
    if not isinstance(model, SparseCoding):
        raise TypeError(
            f"model is a {type(model).__name__}; filling in needs a fitted SparseCoding, whose "
            "coefficients are searched for."
        )
    raw = np.asarray(image)
    holes = checked_mask(raw, missing)
    values = checked_image(np.where(holes, 0, raw) if holes.any() else raw)
    known = ~holes.reshape(values.shape)
    side = side_of(model, values.shape)
    patches = Patches(values, side, stride, dtype=model.components_.dtype)

    unfinished = 0

    def fill(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        nonlocal unfinished
        pixels, mask = patches.take(numbers), patches.take(numbers, known)
        means = channel_means(pixels, values.shape[2], mask)
        found = _encode_known(pixels - means, mask, model)
        unfinished += found.n_unfinished
        return found.codes.T @ model.components_ + means, mask.mean(axis=1) ** 2

    filled, weight = patches.averaged(fill, progress)
    if unfinished:
        warnings.warn(
            f"The coefficients of {unfinished} patches have not converged; scale the image to "
            "about the variance that the model learned from, or raise epsilon.",
            ConvergenceWarning,
            stacklevel=2,
        )
    if not weight.all():
        raise ValueError(
            f"{np.count_nonzero(weight[:, :, 0] == 0)} missing pixels lie in no patch with a known "
            "pixel; give a model of larger patches, or a smaller stride."
        )
    return np.where(known, values, filled).reshape(raw.shape)


def _encode_known(samples: np.ndarray, mask: np.ndarray, model: SparseCoding) -> Codes:
    """Find the coefficients of samples in rows by what is known of them."""
    return encode(
        np.ascontiguousarray(samples.T),
        model.components_.T,
        model.penalty_,
        model.alpha_,
        mask=np.ascontiguousarray(mask.T),
        tol=1e-4,
        n_threads=count_threads(model.n_jobs),
    )
