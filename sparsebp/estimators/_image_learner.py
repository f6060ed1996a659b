"""Base of estimators that learn atoms from whole images."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import numpy as np

from sparsebp._checkpoint import Checkpoint
from sparsebp._checks import RandomSource, draw_seed, mistake
from sparsebp._magnitudes import ignore_float_warnings
from sparsebp._warnings import warn_user
from sparsebp.coding import (
    TRUSTED_PIXELS,
    AtomsState,
    ConvolutionalSearch,
    KnownImage,
    drawn_atoms,
)
from sparsebp.estimators._callbacks import watching
from sparsebp.estimators._fitting import require_success
from sparsebp.estimators._image_coder import ImageCoder, some_pixels
from sparsebp.estimators._learner import Learner
from sparsebp.estimators._resuming import images_identity
from sparsebp.estimators._units import SCALED, scale_of, warn_of_image_units
from sparsebp.samples import count_threads

#: Ratio of the means of images to their standard deviations above which `fit` warns.
_OFFSET = 0.5


class ImageLearner(ImageCoder, Learner, auto_wrap_output_keys=None):
    """Base of estimators that learn atoms from whole images: start, search and end of a fit."""

    n_pixels_seen_: int | None = None

    def _learn(self, X: Any, images: list[KnownImage], checkpoint: Checkpoint) -> None:  # type: ignore[override]
        rng = checkpoint.rng
        start, search = self._state_at_start(images, rng, resumed=False), self._search()
        fitted_at = partial(fitted_attributes, search)
        with ignore_float_warnings(), watching(self, X, fitted_at, checkpoint) as watch:
            result = search.run(images, start, draw_seed(rng), watch, checkpoint)
            require_success(result)
            vars(self).update(fitted_at(result.state))
        self._record(result, limit_is_failure=search.takes_all(images))
        self._warn_of_images(search, images)
        self._warn_of_silence(result.state.contributions)

    def _samples_to_learn(  # type: ignore[override]
        self, X: Any, *, reset: bool = True
    ) -> tuple[list[KnownImage], list[int]]:
        """Return checked images in one precision."""
        images = self._images(X) if reset else self._known(X)
        sides, pixels = images[0].patch_shape[:2], some_pixels(images)
        if self.window is not None and self.window < max(sides):
            wanted = f"at least {max(sides)}, a side of the atoms, or None for whole images"
            raise ValueError(mistake("window", wanted, self.window))
        if reset:
            self.n_features_in_ = prod(images[0].patch_shape)
            self.sample_scale_ = scale_of(pixels)
        side, n = self.window, int(self.batch_size)
        largest = sorted(images, key=lambda image: image.n_pixels)[-n:]
        if side is not None and max(max(image.shape) for image in largest) > side:
            largest = n * [largest[-1].window((0, 0), side)]
        self._check_memory(largest, self.n_components or self.n_features_in_, keeps=True)
        return images, []

    def _identity_of(self, samples: list[KnownImage], of_blocks: list[int]) -> dict[str, Any]:
        return images_identity(samples)

    @property
    def _can_go_on(self) -> bool:
        return False  # atoms are replaced for a share of max_iter

    def _state_at_start(
        self, images: list[KnownImage], rng: RandomSource, *, resumed: bool
    ) -> AtomsState:
        resumed &= hasattr(self, "components_")
        n_components = self.n_components or self.n_features_in_
        shape, dtype = (n_components, self.n_features_in_), images[0].pixels.dtype
        if self._draws_start and not resumed:
            start = drawn_atoms(images, n_components, rng)
        else:
            start = self._start(shape, rng, dtype, go_on=resumed).T
        contributions = np.full(n_components, 1 / n_components)
        if not resumed:
            return AtomsState(np.ascontiguousarray(start), contributions)
        known = getattr(self, "contributions_", contributions)
        n_pixels = self.n_pixels_seen_ or TRUSTED_PIXELS
        return AtomsState(np.ascontiguousarray(start), known, n_pixels)

    def _search(self) -> ConvolutionalSearch:
        return ConvolutionalSearch(
            self._make_penalty(self.n_components or self.n_features_in_),
            float(self.alpha),
            batch_size=int(self.batch_size),
            window=self.window,
            max_iter=self.max_iter,
            tol=float(self.tol),
            n_threads=count_threads(self.n_jobs),
        )

    def _warn_of_images(self, search: ConvolutionalSearch, images: list[KnownImage]) -> None:
        """Warn of images whose means are not small, or for whose scale alpha does not suit."""
        pixels = [image.some_pixels(SCALED) for image in images]
        offset = np.mean([float(np.nanmean(values)) ** 2 for values in pixels])
        if offset > _OFFSET**2 * np.mean([float(np.nanvar(values)) for values in pixels]):
            # Which also changes the alpha that suits.
            return warn_user(
                f"The images have means of about {np.sqrt(offset):.2g}, which take coefficients "
                "everywhere. Remove slow changes of brightness first, for example by "
                "sparsebp.preprocessing.whiten_images."
            )
        batch, basis = search.drawn(images, np.random.default_rng(0)), self.components_.T
        named = type(self).__name__, self.penalty_, self.alpha_
        with ignore_float_warnings():
            warn_of_image_units(*named, batch, basis, lambda: search.encoded(batch, basis))


def fitted_attributes(search: ConvolutionalSearch, state: AtomsState) -> dict[str, Any]:
    return {
        "components_": np.ascontiguousarray(state.basis.T),
        "penalty_": search.penalty,
        "alpha_": search.alpha,
        "contributions_": state.contributions,
        "n_pixels_seen_": state.n_pixels,
    }
