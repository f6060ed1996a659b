"""Base of estimators that encode whole images by maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from math import prod
from typing import Any, Self, TypeVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sparsebp._checks import check_matrix, check_number, check_readable, mistake
from sparsebp._magnitudes import (
    check_largest,
    ignore_float_warnings,
    in_precision,
    largest_magnitude,
    require_finite,
)
from sparsebp._memory import check_memory
from sparsebp._shapes import COLORS, checked_patch_shape, resolved_patch_shape
from sparsebp._warnings import warn_user
from sparsebp.coding import KnownImage, encode_maps
from sparsebp.estimators._coder import Coder
from sparsebp.estimators._units import SCALED, warn_of_scale
from sparsebp.network import Convolution
from sparsebp.penalties import Penalty
from sparsebp.preprocessing._arrays import check_images
from sparsebp.problems.sparse_coding import require_bounded
from sparsebp.samples import Samples, count_threads, in_order

T = TypeVar("T")
_MAPS = "Give what transform returned; a single map is put into a list."


class ImageCoder(Coder, auto_wrap_output_keys=None):  # maps are no table
    """Base of estimators whose samples are images and whose codes are maps."""

    alpha: float
    alpha_: float
    batch_size: int
    window: int | None
    patch_shape: Any

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags

    def transform(self, X: Any) -> list[np.ndarray]:  # type: ignore[override]
        """Compute the maps of images.

        Parameters
        ----------
        X : sequence of array-like, each (height, width) or (height, width, 3)
            Images like those of `fit`; pixels that are NaN or masked are missing.

        Returns
        -------
        maps : list of ndarray, each (height + rows − 1, width + columns − 1, n_components)
            The coefficients of rows × columns atoms: at [u, v] those of the atoms whose last row
            and column are in the image's row u and column v. The maps of the n-th image are
            ``maps[n]``.

        Raises
        ------
        ValueError, TypeError
            If X is unusable.
        MemoryError
            If the maps would not fit into memory.

        Warns
        -----
        UserWarning
            If ``alpha`` was changed after `fit`, which has no effect, or the images are in other
            units than those of `fit`.
        ConvergenceWarning
            If maps have not converged.
        """
        images = self._known(X)
        self._warn_of_changes()
        self._check_memory(images, len(self.components_), keeps=True)

        def shaped(image: KnownImage, maps: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(maps.T).reshape(*image.weight.map_shape, -1)

        return self._of_each(images, shaped)

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> list[np.ndarray]:
        """Learn atoms from images, and compute their maps.

        Parameters
        ----------
        X : sequence of array-like, each (height, width) or (height, width, 3)
            As for `fit`.
        y : Ignored
            Present for the interface.
        **fit_params : dict
            For `fit`.

        Returns
        -------
        maps : list of ndarray, each (height + rows − 1, width + columns − 1, n_components)
            As `transform` returns them.
        """
        X = list(X) if isinstance(X, Iterator) else X  # which is read twice
        return super().fit_transform(X, y, **fit_params)  # type: ignore[return-value]

    def inverse_transform(self, X: Any) -> list[np.ndarray]:
        """Compute the images that maps stand for.

        Parameters
        ----------
        X : sequence of array-like, each (n_rows, n_columns, n_components)
            Maps, as `transform` returns them.

        Returns
        -------
        images : list of ndarray, each (height, width) or (height, width, 3)
            The sums of the atoms, also where pixels were missing.

        Raises
        ------
        ValueError, TypeError
            If maps are of another shape, or not finite.
        """
        check_is_fitted(self)
        shape, n_components = self._shape_of_atoms(self.n_features_in_), len(self.components_)
        images = []
        for number, maps in enumerate(self._checked_maps(X)):
            sides = tuple(n - side + 1 for n, side in zip(maps.shape, shape[:2], strict=False))
            if min(sides) < 1:
                raise ValueError(
                    f"X[{number}] has maps of {maps.shape[0]} × {maps.shape[1]} places, which are "
                    f"smaller than an atom of {shape[0]} × {shape[1]} pixels. {_MAPS}"
                )
            weight = Convolution("A", patch_shape=shape, image_shape=(sides[0], sides[1]))
            flat = np.ascontiguousarray(maps.reshape(-1, n_components).T)
            with ignore_float_warnings():
                image = weight(flat, {"A": self.components_.T}).T.reshape(*sides, shape[2])
            images.append(require_finite("The images", image if shape[2] > 1 else image[..., 0]))
        return images

    def silent_components(self, codes: Any) -> np.ndarray:
        """Return the atoms that contribute almost nothing to some images.

        Parameters
        ----------
        codes : sequence of array-like, each (n_rows, n_columns, n_components)
            Maps, as `transform` returns them.

        Returns
        -------
        silent : ndarray of int
            Indices of the atoms of which the mean square of the coefficients is below a thousandth
            of the typical one.

        Raises
        ------
        ValueError, TypeError
            If maps are of another shape.
        """
        check_is_fitted(self)
        flat = [maps.reshape(-1, len(self.components_)) for maps in self._checked_maps(codes)]
        return super().silent_components(np.concatenate(flat))

    def _checked_maps(self, X: Any) -> list[np.ndarray]:
        """Return maps in the model's precision, or raise an error if they are none."""
        if isinstance(X, str | bytes | dict) or not isinstance(X, Iterable):
            raise TypeError(mistake("X", "a sequence of maps", X, f" {_MAPS}"))
        n_components, checked = len(self.components_), []
        for number, maps in enumerate(X):
            name, shape = f"X[{number}]", np.shape(check_readable(f"X[{number}]", maps))
            if len(shape) != 3 or shape[2] != n_components or 0 in shape:
                raise ValueError(
                    f"{name} has shape {shape}, not (n_rows, n_columns, {n_components}). {_MAPS}"
                )
            flat = check_matrix(name, np.reshape(maps, (-1, n_components)))
            checked.append(in_precision(name, flat, self.components_.dtype).reshape(shape))
        if not checked:
            raise ValueError(mistake("X", "maps of at least one image", X, f" {_MAPS}"))
        return checked

    def score(self, X: Any, y: Any = None) -> float:
        """Compute minus the objective of images, so that higher is better.

        Parameters
        ----------
        X : sequence of array-like, each (height, width) or (height, width, 3)
            Images like those of `fit`.
        y : Ignored
            Present for the interface.

        Returns
        -------
        score : float
            −F, divided by the number of pixels of all images.

        Raises
        ------
        ValueError, TypeError
            If X is unusable.
        """
        images = self._known(X)
        self._warn_of_changes()
        self._check_memory(images, len(self.components_))

        def value(image: KnownImage, maps: np.ndarray) -> float:
            known = {**image.variables, "A": self.components_.T, "s": maps}
            return image.problem(self.penalty_, self.alpha_).value(known, scale=1)

        return -sum(self._of_each(images, value)) / sum(image.n_pixels for image in images)

    def with_alpha(self, alpha: float) -> Self:
        """Return a fitted model with the same atoms and another weight of the penalty.

        Parameters
        ----------
        alpha : float
            Weight α ≥ 0.

        Returns
        -------
        model : object
            A copy, whose `transform` uses the new weight.

        Raises
        ------
        ValueError, TypeError
            If alpha is no number ≥ 0.
        """
        check_is_fitted(self)
        model = copy(self)
        model.alpha = model.alpha_ = check_number("alpha", alpha, minimum=0)
        return model

    def _warn_of_changes(self) -> None:
        if self.alpha != self.alpha_:
            warn_user(
                f"alpha is {self.alpha!r}, but was {self.alpha_:g} when this model was fitted, and "
                f"transform uses that weight. with_alpha({self.alpha!r}) returns a model with the "
                "same atoms and the new weight; fit learns atoms for it."
            )

    def _accepted(self, penalty: Penalty) -> Penalty:
        require_bounded(penalty)
        return penalty

    def _shape_of_atoms(self, n_features: int) -> tuple[int, int, int]:
        """Return height, width and channels of atoms of so many values."""
        shape = resolved_patch_shape(n_features, self.patch_shape, "each atom")
        return shape[0], shape[1], prod(shape[2:])

    def _images(self, X: Any, dtype: Any = None) -> list[KnownImage]:
        """Return images as the search takes them, all in one precision, or raise an error."""
        checked = check_images(X, missing=True)
        if dtype is None:
            single = all(image.dtype == np.float32 for image in checked)
            dtype = np.dtype(np.float32 if single else np.float64)
        rows, columns, *channels = checked_patch_shape(self.patch_shape)
        n_channels = COLORS if checked[0].ndim == 3 else 1
        if isinstance(self.patch_shape, tuple | list) and (channels or [1]) != [n_channels]:
            raise ValueError(
                f"patch_shape={self.patch_shape!r} is not for images of {n_channels} channel(s), "
                f"such as X[0] of shape {checked[0].shape}; give "
                f"{(rows, columns, COLORS) if n_channels == COLORS else (rows, columns)}."
            )
        images = []
        for number, image in enumerate(checked):
            if image.shape[0] < rows or image.shape[1] < columns:
                raise ValueError(
                    f"X[{number}] of shape {image.shape} is smaller than an atom of "
                    f"{rows} × {columns} pixels; leave it out, or give a smaller patch_shape."
                )
            values = in_precision("X", image, dtype).reshape(*image.shape[:2], n_channels)
            known = KnownImage.of(values, (rows, columns, n_channels))
            if known.known is not None and not known.known.any():
                raise ValueError(f"X[{number}] has no known pixel; leave it out.")
            images.append(known)
        largest = max(largest_magnitude(image.pixels) for image in images)
        check_largest("X", largest, sum(i.pixels.size for i in images), dtype)
        return images

    def _check_memory(
        self, images: Sequence[KnownImage], n_components: int, *, keeps: bool = False
    ) -> None:
        """Raise MemoryError if maps and slopes of as many images as threads do not fit.

        With `keeps`, also if the maps of all images do not.
        """
        places = sorted(prod(image.weight.map_shape) for image in images)
        at_work = places[-count_threads(self.n_jobs) :]
        n_places = 3 * sum(at_work) + keeps * sum(places)
        itemsize = images[0].pixels.itemsize
        check_memory("n_components", n_components, (n_components, n_places), itemsize=itemsize)

    def _known(self, X: Any) -> list[KnownImage]:
        """Return images like those of `fit`, or raise an error; warn of other units."""
        check_is_fitted(self)
        images = self._images(X, self.components_.dtype)
        shape = self._shape_of_atoms(self.n_features_in_)
        if images[0].patch_shape != shape:
            raise ValueError(
                f"X has images of {images[0].patch_shape[2]} channel(s), but this model was fitted "
                f"to images of {shape[2]}; give images like those."
            )
        warn_of_scale(Samples.of(some_pixels(images)), self.sample_scale_)
        return images

    def _of_each(
        self, images: list[KnownImage], use: Callable[[KnownImage, np.ndarray], T]
    ) -> list[T]:
        """Return what `use` makes of each image and its maps, one image at a time per thread."""

        def encoded(image: KnownImage) -> tuple[T, bool]:
            with ignore_float_warnings():
                maps = encode_maps(image, self.components_.T, self.penalty_, self.alpha_)
                return use(image, maps.points), maps.has_converged

        found = list(in_order(encoded, images, count_threads(self.n_jobs)))
        unfinished = sum(not has_converged for _, has_converged in found)
        if unfinished:
            warn_user(
                f"The maps of {unfinished} of {len(images)} images have not converged; scale the "
                "images to about unit variance, or raise alpha.",
                ConvergenceWarning,
            )
        return [result for result, _ in found]


def some_pixels(images: Sequence[KnownImage]) -> np.ndarray:
    """Return pixels of images (n_channels, n), so many that they show the scale; NaN is missing."""
    each = max(SCALED // len(images), 1)
    return np.hstack([image.some_pixels(each) for image in images])
