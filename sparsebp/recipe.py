"""From photographs to the training samples of a model, in a form that can be saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from numbers import Real
from os import PathLike
from typing import Any

import numpy as np

from sparsebp._checks import check_flag, check_integer, check_number, check_shape
from sparsebp._files import listed_names
from sparsebp._lazy_images import no_patch, tell_skipped
from sparsebp._progress import Track, no_progress
from sparsebp._warnings import warn_user
from sparsebp.datasets import SAMPLE_NAMES, load_sample_photographs, read_photographs
from sparsebp.patch_stream import PatchStream
from sparsebp.preprocessing import normalize_contrast, remove_mean, sample_patches, whiten_images

__all__ = ["Recipe"]

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]

#: Between the medians of photographs (0.85 to 0.91) and of whitened images (0.27 to 0.3).
_WHITE = 0.45
#: Images of a stream in which that is looked for.
_LOOKED_AT = 16
_LOOKS_WHITE = (
    "The images look already white: their neighboring pixels are hardly correlated. Whitening "
    "them again amplifies noise; add --no-whiten, or whiten=False, to leave them unchanged."
)


@dataclass(frozen=True)
class Recipe:
    """How photographs become samples.

    Every image is whitened as a whole by Olshausen and Field's filter; patches are drawn, and
    low-contrast patches are skipped; the mean of each gray patch is removed, and each may be
    divided by its contrast; all are multiplied by one number, so that the pixels of the training
    patches have the given variance.

    Parameters
    ----------
    patch_size : int or (int, int)
        Side of a patch, or height and width, in pixels.
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
        The number by which patches are multiplied; `draw` computes it.
    """

    patch_size: int | tuple[int, int] = 8
    color: bool = False
    min_contrast: float = 0.5
    whiten: bool = True
    equal_contrast: bool = False
    variance: float = 1.0
    scale: float | None = None

    def __post_init__(self) -> None:
        check = check_integer if isinstance(self.patch_size, Real) else check_shape
        object.__setattr__(self, "patch_size", check("patch_size", self.patch_size))
        for name in ("color", "whiten", "equal_contrast"):
            check_flag(name, getattr(self, name))
        check_number("min_contrast", self.min_contrast, minimum=0)
        check_number("variance", self.variance, above=0)
        if self.scale is not None:
            check_number("scale", self.scale, above=0)

    @property
    def patch_shape(self) -> tuple[int, ...]:
        """Shape of a patch, (height, width) or (height, width, 3)."""
        return (*self.sides, 3) if self.color else self.sides

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width of a patch in pixels."""
        size = self.patch_size
        height, width = (size, size) if isinstance(size, int) else size
        return height, width

    def load(self, images: Paths | None, track: Track = no_progress) -> dict[str, np.ndarray]:
        """Load photographs, or the bundled ones, by name, and whiten them.

        Parameters
        ----------
        images : path, iterable of paths, or None
            Files, folders and patterns, as in `sparsebp.datasets.load_photographs`; None takes the
            bundled photographs.
        track : callable
            Shows progress.

        Returns
        -------
        dict of str to ndarray
            float32 if read from files, to save memory.

        Raises
        ------
        ValueError
            If no image yields a patch.
        """
        return dict(self.stream(images, track))

    def stream(
        self, images: Paths | None, track: Track = no_progress
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Load photographs as `load` does, one at a time: only one of them is held.

        Parameters
        ----------
        images : path, iterable of paths, or None
            As in `load`.
        track : callable
            Shows progress.

        Yields
        ------
        (str, ndarray)
            Name and image.

        Raises
        ------
        ValueError
            At the end, if no image yields a patch.
        """
        without: dict[str, str] = {}
        correlations: list[float] = []
        for name, image in self._read(images, track):
            reason = no_patch(image, self.patch_shape)
            if reason:
                without[name] = reason
                continue
            correlations.append(neighbor_correlation(image))
            yield name, _whitened(image) if self.whiten else image
        tell_skipped(without, found=bool(correlations))
        if self.whiten:
            _tell_white(correlations)

    def _read(self, images: Paths | None, track: Track) -> Iterable[tuple[str, np.ndarray]]:
        if images is not None:
            return read_photographs(images, color=self.color, dtype=np.float32, track=track)
        bundled = load_sample_photographs(color=self.color)
        return zip(track(SAMPLE_NAMES, "reading images"), bundled, strict=True)

    def ready(
        self, named: dict[str, np.ndarray], track: Track = no_progress
    ) -> dict[str, np.ndarray]:
        """Whiten images, by name, if the recipe says so."""
        if not self.whiten:
            return named
        return {name: _whitened(named[name]) for name in track(named, "whitening images")}

    def draw(
        self, images: Mapping[str, np.ndarray], n_patches: int, seed: int
    ) -> tuple[np.ndarray, Recipe]:
        """Draw samples from loaded images; return them, and the recipe with its scale."""
        check_enough(n_patches)
        patches = sample_patches(
            list(images.values()),
            self.sides,
            n_patches,
            min_contrast=self.min_contrast,
            random_state=seed,
        )
        patches = self._normalized(patches.astype(np.float64))
        scale = self.scale or self._scale_of(patches)
        return patches * scale, replace(self, scale=scale)

    def draw_stream(
        self, images: Paths | None, n_patches: int, seed: int, track: Track = no_progress
    ) -> tuple[PatchStream, Recipe]:
        """Return samples as `load` and `draw` do, but drawn when they are read.

        Parameters
        ----------
        images : path, iterable of paths, or None
            As in `load`.
        n_patches : int
            Number of samples, 2 or more.
        seed : int
            Draws the patches.
        track : callable
            Shows progress while the files are gone through.

        Returns
        -------
        stream : PatchStream
            The samples, in float32. They have the distribution of those of `draw`.
        recipe : Recipe
            With its scale, which follows from a few thousand of the samples.

        Raises
        ------
        ValueError
            If no image yields a patch.
        """
        check_enough(n_patches)
        stream = PatchStream(
            load_sample_photographs(color=self.color) if images is None else images,
            self.sides,
            n_patches,
            color=self.color,
            min_contrast=self.min_contrast,
            prepare_image=_whitened if self.whiten else None,
            prepare=self._normalized,
            random_state=seed,
            track=track,
        )
        if self.whiten:
            n_images = len(stream.images)
            few = map(stream.images.original, range(0, n_images, -(-n_images // _LOOKED_AT)))
            _tell_white([neighbor_correlation(image) for image in few])
        recipe = replace(self, scale=self.scale or self._scale_of(stream.sample()))
        stream.prepare = recipe.prepare
        return stream, recipe

    def _scale_of(self, patches: np.ndarray) -> float:
        return float(np.sqrt(self.variance) / (patches.std(dtype=np.float64) or 1.0))

    def prepare(self, patches: np.ndarray) -> np.ndarray:
        """Turn patches of loaded images into samples, once the scale is known."""
        return self._normalized(patches) * (self.scale or 1.0)

    def _normalized(self, patches: np.ndarray) -> np.ndarray:
        patches = patches if self.color else remove_mean(patches)
        return normalize_contrast(patches) if self.equal_contrast else patches

    def describe(self) -> str:
        """Describe the preprocessing."""
        steps = {
            "images whitened": self.whiten,
            f"low-contrast patches skipped (below {self.min_contrast:g} of the mean)": (
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
            If there is none, or it is damaged.
        """
        if "recipe" not in metadata:
            raise ValueError(
                "The model was saved without its recipe, so the preprocessing of images is "
                "unknown; learn it with `sparsebp learn`."
            )
        try:
            return cls(**metadata["recipe"])
        except (TypeError, ValueError) as error:
            raise ValueError(
                "The model's recipe, the preprocessing of its images, is damaged "
                f"({error}); learn it with `sparsebp learn` again."
            ) from error


def check_enough(n_patches: int) -> None:
    """Raise an error for too few patches to learn from."""
    if n_patches < 2:
        raise ValueError(f"n_patches is {n_patches}; learning needs at least 2 patches.")


def neighbor_correlation(image: np.ndarray) -> float:
    """Compute the correlation of diagonal neighbors: about 0.9 in photographs, 0 in noise."""
    first, second = image[:-1, :-1], image[1:, 1:]
    jumps = np.square(second - first, dtype=np.float64).mean()
    return float(1 - jumps / (2 * image.var(dtype=np.float64)))


def describe_images(images: Paths | None) -> str:
    """Return the first few names of the images given."""
    if images is None:
        return "bundled"
    return listed_names(
        [str(i) for i in ([images] if isinstance(images, str | PathLike) else images)]
    )


def _tell_white(correlations: list[float]) -> None:
    """Warn if most images are white already."""
    if np.median(correlations) < _WHITE:
        warn_user(_LOOKS_WHITE)


def _whitened(image: np.ndarray) -> np.ndarray:
    """Whiten one image; without unit_variance it does not depend on the others."""
    if image.min() == image.max():  # an error if it is the only image
        return np.zeros_like(image)
    return whiten_images([image], unit_variance=False)[0]
