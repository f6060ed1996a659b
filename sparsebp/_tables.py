"""Columns of numbers as a data frame or a CSV file; only data frames need pandas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sparsebp._files import writing

Columns = Mapping[str, Iterable[Any]]


class Table:
    """Base of results that are tables of numbers, by their method ``to_dict``."""

    def to_dict(self) -> Any:
        """Return a column for each quantity."""
        raise NotImplementedError

    def to_frame(self) -> Any:
        """Return `to_dict` as a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return data_frame(self.to_dict())

    def to_csv(self, path: str | Path) -> None:
        """Write `to_dict` into a CSV file; this needs no pandas.

        Parameters
        ----------
        path : path
            The file; an existing one is replaced.

        Raises
        ------
        ValueError, OSError
            If it cannot be written.
        """
        write_csv(path, self.to_dict())


def data_frame(columns: Columns) -> Any:
    """Return columns of equal length as a pandas DataFrame; ImportError without pandas."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "to_frame needs pandas, which is not installed; install it with `pip install pandas`, "
            "or use to_dict or to_csv."
        ) from error
    return pd.DataFrame({name: list(values) for name, values in columns.items()})


def write_csv(path: str | Path, columns: Columns) -> None:
    """Write columns into a CSV file with a header; None and NaN become empty cells."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    rows = zip(*columns.values(), strict=True)
    writer.writerows(["" if _missing(value) else value for value in row] for row in rows)
    with writing(path) as file:
        file.write(text.getvalue().encode())


def _missing(value: Any) -> bool:
    return value is None or value != value
