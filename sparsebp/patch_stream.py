"""A table of patches that are cut out of photographs when its rows are read."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._checks import (
    RandomState,
    check_flag,
    check_integer,
    check_number,
    draw_seed,
    is_flag,
    mistake,
    random_source,
)
from sparsebp._lazy_images import LazyImages, Prepare
from sparsebp._memory import check_memory
from sparsebp._progress import Track, no_progress
from sparsebp.preprocessing.normalization import row_deviation
from sparsebp.preprocessing.patches import contrast_threshold
from sparsebp.preprocessing.positions import cut_patches
from sparsebp.samples import BLOCK, slices

__all__ = ["PatchStream"]

#: Photographs that the patches of a block come from, if each has to be read and prepared, and if
#: all are kept in memory.
_FEW_VISITS, _MANY_VISITS = 16, 128
#: Rows of a block, if they are fewer than these bytes: a photograph that is read gives 256 of them.
_SHORT_BLOCK, _LARGE_BLOCK = 4096, 2**24
#: Patches from which the contrast and the scale of all others are estimated.
_REFERENCE = 8192
#: Fraction of patches below which looking for those with contrast takes too long.
_FEWEST = 0.01
#: Fraction of all places between one photograph's place in the order and the next one's.
_GOLDEN = (np.sqrt(5) - 1) / 2


class PatchStream:
    """A table of patches, drawn at random positions of photographs when its rows are read.

    Neither the patches nor the photographs are ever in memory together, so there may be more of
    both than would fit. Estimators learn from it as from an array. Every position in every
    photograph is equally likely, as in `sparsebp.preprocessing.sample_patches`, and the same row
    always holds the same patch. Patches come in blocks, each from about 16 photographs, or 128 if
    all photographs together take less than 64 MB.

    Parameters
    ----------
    images : path, iterable of paths, or sequence of arrays
        Files, folders and patterns, as in `sparsebp.datasets.load_photographs`; or images in
        memory, as in `sparsebp.preprocessing.sample_patches`.
    patch_shape : int, (height, width) or (frames, height, width)
        Sides of a patch in pixels, as in `sparsebp.preprocessing.sample_patches`.
    n_patches : int
        Number of patches, >= 1.
    color : bool, default=False
        Whether to keep the colors of files. Arrays are used as they are.
    min_contrast : float, default=0.0
        Patches whose standard deviation is below `min_contrast` times that of the average patch
        are skipped, as in `sparsebp.preprocessing.sample_patches`. >= 0.
    prepare_image : callable, optional
        Maps an image to one of the same shape, such as a whitened one.
    prepare : callable, optional
        Maps patches, one a row, to samples of the same shape, such as patches without their means.
    random_state : None, int, RandomState or Generator, default=None
        Where the positions come from.
    track : callable, optional
        Shows progress while the files are gone through once.

    Attributes
    ----------
    shape : (int, int)
        Numbers of patches and of their pixels.
    dtype : dtype
        float32.
    chunks : (int, int)
        Shape of a block. Rows of one block are made together.
    patch_shape : tuple of int
        (height, width) or (height, width, 3).
    images : LazyImages
        The images that have patches, prepared when they are read: ``stream.images[0]``.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable, no image has a patch, or less than one in a hundred patches has
        the contrast. When rows are read: if a file was changed or removed in the meantime.

    Warns
    -----
    UserWarning
        As in `sparsebp.datasets.load_photographs`, and if files are skipped because their images
        are constant or smaller than a patch.

    Notes
    -----
    Block b depends only on the seed, b, the parameters and the files. Its photographs are the next
    ones of a golden-ratio sequence over all positions, of which any stretch is spread evenly; the
    rows of a block are shuffled. The blocks are so large that a pass over all patches reads each
    photograph about once, but not larger than 16 MB. Images of up to 64 MB, in float32, are kept
    in memory; so a few photographs are read and prepared only once.

    A stream can be pickled if both callables can, is then as small as the names of its files, and
    may be read by several threads. ``np.asarray`` computes all patches, for other packages.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp import PatchStream
    >>> from sparsebp.datasets import load_sample_photographs
    >>> stream = PatchStream(load_sample_photographs(), 8, 10**9, random_state=0)
    >>> stream.shape, stream[5:7].shape, bool((stream[5:7] == stream[4:7][1:]).all())
    ((1000000000, 64), (2, 64), True)
    """

    ndim = 2
    dtype = np.dtype(np.float32)

    def __init__(
        self,
        images: Any,
        patch_shape: int | Sequence[int],
        n_patches: int,
        *,
        color: bool = False,
        min_contrast: float = 0.0,
        prepare_image: Prepare | None = None,
        prepare: Prepare | None = None,
        random_state: RandomState = None,
        track: Track = no_progress,
    ) -> None:
        n_patches = check_integer("n_patches", n_patches)
        min_contrast = check_number("min_contrast", min_contrast, minimum=0)
        check_flag("color", color)
        for name, function in {"prepare_image": prepare_image, "prepare": prepare}.items():
            if function is not None and not callable(function):
                raise TypeError(mistake(name, "callable, or None", function))
        self._seed, self.prepare = draw_seed(random_source(random_state)), prepare
        self.images = LazyImages(images, patch_shape, color, prepare_image, track)
        self.patch_shape = self.images.patch_shape
        self.shape = (n_patches, prod(self.patch_shape))
        self._n_visits = _MANY_VISITS if self.images.are_kept else _FEW_VISITS
        self.chunks = (self._rows_of_block(), self.shape[1])
        self._forget()
        self._start = np.random.default_rng(self._seed).random()
        self._threshold, self._share = 0.0, 1.0
        if min_contrast:
            self._learn_contrast(min_contrast)

    def _rows_of_block(self) -> int:
        most = max(1, _LARGE_BLOCK // (self.shape[1] * self.dtype.itemsize))
        once = _FEW_VISITS * self.shape[0] // len(self.images)  # reads each image once
        return min(max(_SHORT_BLOCK, once), most)

    def _forget(self) -> None:
        """Forget what can be computed again."""
        self._last: tuple[int, NDArray[np.float32]] = (-1, np.empty((0, 0), np.float32))
        self._reference: NDArray[np.float32] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {n: v for n, v in vars(self).items() if n not in ("_last", "_reference")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._forget()

    def __repr__(self) -> str:
        sides = "×".join(map(str, self.patch_shape))
        return (
            f"<PatchStream of {self.shape[0]:,} patches of {sides} from {len(self.images)} images>"
        )

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | int) -> NDArray[np.float32]:
        """Return rows by a slice, or one by its index; always a new array."""
        if not isinstance(rows, slice):
            return self._row(rows)
        first, last, step = rows.indices(self.shape[0])
        if step != 1:
            raise ValueError(mistake("the step of a slice of a stream", "1", step))
        last = max(first, last)
        check_memory("the number of rows", last - first, (last - first, self.shape[1]), itemsize=4)
        found, size = np.empty((last - first, self.shape[1]), self.dtype), self.chunks[0]
        for start in range(first - first % size, last, size):  # of the blocks
            part = self._block(start // size)[max(0, first - start) : last - start]
            at = max(0, start - first)
            found[at : at + len(part)] = part
        return found

    def _row(self, given: Any) -> NDArray[np.float32]:
        if is_flag(given) or not isinstance(given, Integral):
            rows = "a slice [first:last] or one integer"
            raise TypeError(mistake("the rows of a stream", rows, given))
        n_rows, row = self.shape[0], int(given)
        if not -n_rows <= row < n_rows:
            raise IndexError(f"row {row} is not among the {n_rows} rows of the stream.")
        return self[row % n_rows : row % n_rows + 1][0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("copy must be None or True, got False: a stream is computed.")
        return self[:].astype(dtype or self.dtype, copy=False)

    def to_dask(self, n_rows: int | None = None) -> Any:
        """Return the patches as a dask array, whose chunks the workers of a cluster make.

        Parameters
        ----------
        n_rows : int, optional
            Patches of a chunk; by default about four blocks, a multiple of 1024.

        Returns
        -------
        patches : dask.array.Array of shape (n_patches, n_pixels)
            Files must be at the same paths on every worker.
        """
        import dask.array as da
        from dask.delayed import delayed

        default = -(-4 * self.chunks[0] // BLOCK) * BLOCK
        size = default if n_rows is None else check_integer("n_rows", n_rows)
        stream: Any = delayed(self, pure=False)
        parts = []
        for rows in slices(self.shape[0], size):
            part, shape = stream[rows], (rows.stop - rows.start, self.shape[1])
            parts.append(da.from_delayed(part, shape, self.dtype))
        return da.concatenate(parts)

    def _block(self, number: int) -> NDArray[np.float32]:
        """Make the patches of a block, or return them if it is the last that was made."""
        made, rows = self._last
        if made != number:
            n_rows = min(self.chunks[0], self.shape[0] - number * self.chunks[0])
            rng = np.random.default_rng([self._seed, number])
            rows = self._prepared(self._drawn(rng, n_rows, number * self._n_visits))
            self._last = (number, rows)
        return rows

    def sample(self) -> NDArray[np.float32]:
        """Return a few thousand prepared patches, from up to 128 images spread over all of them.

        They have the distribution of the rows, and are for statistics and pictures.

        Returns
        -------
        patches : ndarray of shape (n, n_pixels)
            As many whatever the number of rows is.
        """
        if self._reference is None:
            drawn = self._drawn_for_reference()
            self._reference = drawn[row_deviation(drawn) >= self._threshold]
        return self._prepared(self._reference.copy())

    def _drawn(self, rng: np.random.Generator, n_patches: int, visit: int) -> NDArray[np.float32]:
        """Cut patches with enough contrast, in random order, before their preparation.

        They come from the images that are visited then and later. How many patches of a visit have
        the contrast decides how many it gives, so that all that have it are equally likely.
        """
        rows = np.empty((n_patches, self.shape[1]), self.dtype)
        order, found = rng.permutation(n_patches), 0
        n_cut = ceil(n_patches / self._n_visits / self._share)
        while found < n_patches:
            cut = self._cut(rng, int(self._visited(visit)), n_cut)
            if self._threshold:
                cut = cut[row_deviation(cut) >= self._threshold]
            here = order[found : found + len(cut)]
            rows[here] = cut[: len(here)]
            found, visit = found + len(here), visit + 1
        return rows

    def _cut(self, rng: np.random.Generator, number: int, n_patches: int) -> NDArray[Any]:
        """Cut patches out of an image."""
        places = rng.integers(self.images.places[number], size=n_patches)
        cut = cut_patches(self.images[number], self.patch_shape, places)
        return cut.astype(self.dtype, copy=False)

    def _visited(self, visits: Any) -> NDArray[np.intp]:
        """Return which images are visited: in proportion to their places, and evenly spread."""
        return self.images.at(self._start + _GOLDEN * visits)

    def _drawn_for_reference(self) -> NDArray[np.float32]:
        """Cut a few thousand patches, whatever their contrast, from many images, each read once."""
        rng = np.random.default_rng([self._seed, 0, 1])
        most = _LARGE_BLOCK // (self.shape[1] * self.dtype.itemsize)
        n_patches = min(_REFERENCE, max(most, 128))
        n_visits = n_patches if len(self.images) <= _MANY_VISITS else _MANY_VISITS
        visited = self._visited(np.arange(n_patches) % n_visits)
        rows = np.empty((n_patches, self.shape[1]), self.dtype)
        for number, count in zip(*np.unique(visited, return_counts=True), strict=True):
            rows[visited == number] = self._cut(rng, int(number), int(count))
        return rng.permutation(rows)

    def _learn_contrast(self, min_contrast: float) -> None:
        drawn = self._drawn_for_reference()
        contrasts = row_deviation(drawn)
        self._threshold = contrast_threshold(contrasts, min_contrast)
        enough = contrasts >= self._threshold
        self._share, self._reference = float(enough.mean()), drawn[enough]
        if self._share < _FEWEST:
            raise ValueError(
                f"min_contrast={min_contrast} leaves only {enough.sum()} of {len(drawn)} patches; "
                "give a smaller one."
            )

    def _prepared(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.prepare is None:
            return patches
        prepared = np.asarray(self.prepare(patches), np.float32)
        if prepared.shape != patches.shape:
            raise ValueError(
                f"prepare must return samples of shape {patches.shape}, the shape of the patches "
                f"it was given, got {prepared.shape}."
            )
        return prepared
