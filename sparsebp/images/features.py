"""Feature maps: the codes of all patches of an image."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sparsebp._checks import mistake
from sparsebp._dispatch import on_host
from sparsebp._namespaces import to_numpy
from sparsebp._shapes import PatchShape
from sparsebp.images._patches import (
    Patches,
    Progress,
    Stride,
    check_model,
    framed,
    warn_of_scale,
)
from sparsebp.preprocessing import remove_mean


def encode_image(
    image: ArrayLike,
    model: Any,
    *,
    stride: Stride = 1,
    patch_shape: PatchShape = None,
    prepare: Callable[[np.ndarray], np.ndarray] = remove_mean,
    progress: Progress = False,
) -> np.ndarray:
    """Compute the coefficients of every patch of an image, as a map.

    Parameters
    ----------
    image : array-like of shape (height, width) or (height, width, 3)
        The image, or a volume as in `denoise`.
    model : estimator
        Fitted to patches; any model with `transform`, including pipelines.
    stride : int or sequence of int, default=1
        Distance between patches in pixels, for all sides or for each.
    patch_shape : int or tuple of int, default=None
        Of the patches the model was fitted on, channels last, as in `SparseCoding`; None takes the
        model's own, else square patches of the image's channels.
    prepare : callable, default=remove_mean
        Maps patches (n_patches, n_pixels) to samples like those of the model's fit.
    progress : bool or callable, default=False
        Whether to show a progress bar; or what shows progress: called with the blocks of patches
        and a label, such as `rich.progress.track`.

    Returns
    -------
    features : ndarray of shape ([n_frames, ]n_rows, n_columns, n_components)
        At [r, c] the coefficients of the patch whose corner is at (r, c) · stride.

    Raises
    ------
    ValueError, TypeError
        As in `denoise`, or if prepare is not callable or returns another number of rows.

    Examples
    --------
    >>> from sparsebp import OrthonormalICA
    >>> rng = np.random.default_rng(0)
    >>> model = OrthonormalICA(4, random_state=0, tol=1e-3).fit(rng.laplace(size=(300, 9)))
    >>> encode_image(rng.random((10, 12)), model, stride=2).shape
    (4, 5, 4)
    """
    if not callable(prepare):
        raise TypeError(mistake("prepare", "callable, such as remove_mean", prepare))
    check_model(model)
    model = on_host(model)
    dtype = getattr(model, "components_", np.empty(0)).dtype
    values, sides = framed(image, model, patch_shape)
    patches = Patches(values, sides, stride, dtype=dtype, to_border=False)
    everywhere = Patches(values, sides, 1, dtype=dtype)  # the warning depends on no stride
    warn_of_scale(np.asarray(prepare(everywhere.take(everywhere.spread()))), model)
    features: np.ndarray | None = None
    for numbers in patches.blocks(progress):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X has another scale")  # checked above
            codes = to_numpy(model.transform(prepare(patches.take(numbers))))
        if len(codes) != len(numbers):
            raise ValueError(
                f"prepare and the model returned {len(codes)} rows for {len(numbers)} patches; "
                "they must return one row per patch."
            )
        if features is None:
            features = np.empty((len(patches), codes.shape[1]), codes.dtype)
        features[numbers] = codes
    assert features is not None  # there is a patch, or Patches had refused
    return features.reshape(*map(len, patches.corners), -1)
