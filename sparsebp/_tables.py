"""Columns of numbers as a data frame or a CSV file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, ClassVar

from sparsebp._files import writing


class Table:
    """Base of results that are tables of numbers: ``to_dict`` returns their columns."""

    #: Attributes that are columns; a subclass with other columns defines its own `to_dict`.
    _columns: ClassVar[tuple[str, ...]] = ()
    #: What its rows are.
    _rows: ClassVar[str] = "filters"

    def __repr__(self) -> str:
        columns = self.to_dict()
        n_rows = len(next(iter(columns.values())))
        return f"<{type(self).__name__} n_{self._rows}={n_rows}: {', '.join(columns)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return a column for each quantity, by name, in the units of the attributes.

        Returns
        -------
        columns : dict of str to ndarray
            Each of shape (n_rows,).
        """
        return {name: getattr(self, name) for name in self._columns}

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
