"""Columns of numbers as a data frame or a CSV file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from sparsebp._files import writing


class Table:
    """Base of results that are tables of numbers, by their method ``to_dict``."""

    def to_dict(self) -> Any:
        """Return a column for each quantity."""
        raise NotImplementedError

    def to_frame(self) -> Any:
        """Return `to_dict` as a pandas DataFrame; ImportError if pandas is not installed."""
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "to_frame needs pandas, which is not installed; install it with `pip install "
                "pandas`, or use to_dict or to_csv."
            ) from error
        return pd.DataFrame(self.to_dict())

    def to_csv(self, path: str | Path) -> None:
        """Write `to_dict` into a CSV file with a header; None and NaN become empty cells.

        An existing file is replaced. ValueError or OSError if it cannot be written; pandas is not
        needed.
        """
        columns, text = self.to_dict(), io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow(["" if v is None or v != v else v for v in row])
        with writing(path) as file:
            file.write(text.getvalue().encode())
