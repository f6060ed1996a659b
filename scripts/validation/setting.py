"""The size of the measurements, their data, and where their pictures go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

from sparsebp.datasets import load_photographs, load_sample_photographs

_Size = TypeVar("_Size")
#: Of pictures, in pixels.
_WIDTH = 1_200


class NotGivenError(Exception):
    """A measurement needs data that were not given."""


@dataclass(frozen=True)
class Setting:
    """Size of the measurements, and data.

    Parameters
    ----------
    toy : bool
        Whether to measure everything at a toy size, as a test. The figures are then meaningless and
        not compared with goals.
    images : Path, optional
        Folder of photographs; None takes the two that come with scikit-learn.
    data : Path, optional
        Folder of the data sets that data/README.md describes. At a toy size what is bundled with
        scikit-learn stands in for those that are not there.
    pictures : Path, optional
        Folder for pictures.
    """

    toy: bool = False
    images: Path | None = None
    data: Path | None = None
    pictures: Path | None = None

    def size(self, full: _Size, toy: _Size) -> _Size:
        """Return the full size of a piece of work, or the toy's."""
        return toy if self.toy else full

    def seeds(self, number: int) -> range:
        """Return the seeds of a measurement, one at a toy size."""
        return range(self.size(number, 1))

    def photographs(self, collection: str | None = None) -> list[np.ndarray]:
        """Load photographs in gray, pixels from 0 to 1.

        Parameters
        ----------
        collection : str, optional
            A folder of `data`; None takes those of `images`.
        """
        if collection is not None:
            given = self._given(collection)
            return load_sample_photographs() if given is None else load_photographs(given)
        if self.images is None:
            return load_sample_photographs()
        return load_photographs(self.images)

    def digits(self, collection: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the first 6,000 digits of MNIST (n, 28, 28), from 0 to 1, and their labels.

        Parameters
        ----------
        collection : str
            Their folder in `data`.
        """
        given = self._given(collection)
        if given is None:
            small = load_digits()
            enlarged = np.kron(small.images / 16, np.ones((1, 3, 3)))
            return np.pad(enlarged, ((0, 0), (2, 2), (2, 2))), small.target
        with np.load(given / "mnist_train_first6000.npz") as archive:
            return archive["X"] / 255.0, archive["y"]

    def save(self, figure: Figure, name: str) -> None:
        """Save a picture, if there is a folder for it."""
        if self.pictures is not None:
            self.pictures.mkdir(parents=True, exist_ok=True)
            dpi = _WIDTH / figure.get_figwidth()
            figure.savefig(self.pictures / name, dpi=dpi, bbox_inches="tight", pad_inches=0.05)

    def _given(self, collection: str) -> Path | None:
        """Return the folder of a data set; None at a toy size without it."""
        if self.data is not None and (self.data / collection).is_dir():
            return self.data / collection
        if self.toy:
            return None
        raise NotGivenError(f"give --data FOLDER with {collection}/, see data/README.md")
