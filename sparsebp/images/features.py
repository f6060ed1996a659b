"""Maps of features: an encoder that slides over an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sparsebp.images._patches import Patches, Progress, checked_image, side_of
from sparsebp.preprocessing import remove_mean


def encode_image(
    image: ArrayLike,
    model: Any,
    *,
    stride: int = 1,
    prepare: Callable[[np.ndarray], np.ndarray] = remove_mean,
    progress: Progress = False,
) -> np.ndarray:
    """Slide an encoder over an image: the coefficients of every patch, as a map.

    Parameters
    ----------
    image : array-like of shape (height, width) or (height, width, n_channels)
        The image.
    model : estimator
        Fitted on square patches; anything with `transform`, a pipeline too.
    stride : int, default=1
        Pixels from one patch to the next.
    prepare : callable, default=remove_mean
        Maps patches (n_patches, n_pixels) to samples as the model was fitted on.
    progress : bool or callable, default=False
        Whether to show a bar; or what goes through the blocks of patches, as `rich.progress.track`
        does.

    Returns
    -------
    features : ndarray of shape (n_rows, n_columns, n_components)
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
        raise TypeError(f"prepare is {prepare!r}; it must be callable, as remove_mean is.")
    values = checked_image(image)
    dtype = getattr(model, "components_", np.empty(0)).dtype
    side = side_of(model, values.shape)
    patches = Patches(values, side, stride, dtype=dtype, to_border=False)
    features: np.ndarray | None = None
    for numbers in patches.blocks(progress):
        codes = np.asarray(model.transform(prepare(patches.take(numbers))))
        if len(codes) != len(numbers):
            raise ValueError(
                f"prepare and the model made {len(codes)} rows of {len(numbers)} patches; each "
                "patch must keep a row of its own."
            )
        if features is None:
            features = np.empty((len(patches), codes.shape[1]), codes.dtype)
        features[numbers] = codes
    assert features is not None  # there is a patch, or Patches had refused
    return features.reshape(*map(len, patches.corners), -1)
