"""From photographs to the samples a model learns from, written down so that it can be repeated."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sparsebp.datasets import SAMPLE_NAMES, load_named_photographs, load_sample_photographs
from sparsebp.preprocessing import (
    normalize_contrast,
    remove_mean,
    sample_patches,
    whiten_images,
)
from sparsebp.report import Track, in_silence


@dataclass(frozen=True)
class Recipe:
    """How photographs become samples.

    Every image is whitened whole by Olshausen and Field's filter; patches are drawn, those of
    little contrast passed over; grey patches lose their mean, and each may be divided by its
    contrast; all are multiplied by one number, which gives the pixels of the patches learned from
    the variance wanted.

    Parameters
    ----------
    patch_size : int
        Height and width of a patch in pixels.
    color : bool
        Whether to keep the colors.
    min_contrast : float
        As in `sparsebp.preprocessing.sample_patches`.
    whiten : bool
        Whether to whiten the images.
    equal_contrast : bool
        Whether to divide each patch by its contrast.
    variance : float
        Mean variance of the pixels of the patches.
    scale : float, optional
        The number the patches are multiplied by; `draw` finds it.
    """

    patch_size: int = 8
    color: bool = False
    min_contrast: float = 0.5
    whiten: bool = True
    equal_contrast: bool = False
    variance: float = 1.0
    scale: float | None = None

    @property
    def patch_shape(self) -> tuple[int, ...]:
        """Shape of a patch, (height, width) or (height, width, 3)."""
        sides = (self.patch_size, self.patch_size)
        return (*sides, 3) if self.color else sides

    def load(self, folder: Path | None, track: Track = in_silence) -> dict[str, np.ndarray]:
        """Load the photographs of a folder, or the bundled ones, by name; whiten them."""
        if folder is None:
            images = load_sample_photographs(color=self.color)
            named = dict(zip(SAMPLE_NAMES, images, strict=True))
        else:
            named = self._large_enough(
                load_named_photographs(
                    folder, color=self.color, track=lambda files: track(files, "loading images")
                )
            )
        return self.ready(named, track)

    def ready(
        self, named: dict[str, np.ndarray], track: Track = in_silence
    ) -> dict[str, np.ndarray]:
        """Whiten images, by name, if the recipe says so."""
        if not self.whiten:
            return named
        return {name: _whitened(named[name]) for name in track(named, "whitening images")}

    def _large_enough(self, named: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        fits = {n: image for n, image in named.items() if min(image.shape[:2]) >= self.patch_size}
        small = [name for name in named if name not in fits]
        sentence = f"smaller than a patch of {self.patch_size}×{self.patch_size} pixels"
        if not fits:
            raise ValueError(f"All images are {sentence}: {', '.join(small)}.")
        if small:
            warnings.warn(f"Skipped, being {sentence}: {', '.join(small)}.", stacklevel=3)
        return fits

    def draw(
        self, images: Mapping[str, np.ndarray], n_patches: int, seed: int
    ) -> tuple[np.ndarray, Recipe]:
        """Draw samples from loaded images; return them, and the recipe with its scale."""
        if n_patches < 2:
            raise ValueError(f"n_patches is {n_patches}; learning needs at least 2 patches.")
        patches = sample_patches(
            list(images.values()),
            self.patch_size,
            n_patches,
            min_contrast=self.min_contrast,
            random_state=seed,
        )
        patches = self._normalized(patches)
        scale = self.scale or float(np.sqrt(self.variance) / (patches.std() or 1.0))
        return patches * scale, replace(self, scale=scale)

    def prepare(self, patches: np.ndarray) -> np.ndarray:
        """Make patches of loaded images samples, once the scale is known."""
        return self._normalized(patches) * (self.scale or 1.0)

    def _normalized(self, patches: np.ndarray) -> np.ndarray:
        patches = patches if self.color else remove_mean(patches)
        return normalize_contrast(patches) if self.equal_contrast else patches

    def in_words(self) -> str:
        """Say how patches are prepared."""
        steps = {
            "images whitened whole": self.whiten,
            f"patches of little contrast passed over ({self.min_contrast:g} of the mean)": (
                self.min_contrast > 0
            ),
            "means removed": not self.color,
            "divided by their contrast": self.equal_contrast,
            f"multiplied by {self.scale or 1.0:.4g}": True,
        }
        return ", ".join(step for step, done in steps.items() if done)

    def metadata(self) -> dict[str, Any]:
        """Return the recipe as plain values, for a saved model."""
        return asdict(self)

    @classmethod
    def from_metadata(cls, metadata: dict[str, Any]) -> Recipe:
        """Return the recipe saved with a model.

        Raises
        ------
        ValueError
            If there is none.
        """
        try:
            return cls(**metadata["recipe"])
        except (KeyError, TypeError) as error:
            raise ValueError(
                "The model was saved without its recipe, so how to prepare images for it is not "
                "known; learn it with `sparsebp learn`."
            ) from error


def _whitened(image: np.ndarray) -> np.ndarray:
    """Whiten one image: without unit_variance none depends on the others."""
    if image.min() == image.max():  # refused where there is no other image
        return np.zeros_like(image)
    return whiten_images([image], unit_variance=False)[0]
