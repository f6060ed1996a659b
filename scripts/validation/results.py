"""Results of measurements in files, with what they were measured by."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from sparsebp import __version__

_Row = TypeVar("_Row")
_PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "spams-bin")


@dataclass(frozen=True)
class Results(Generic[_Row]):
    """What one subject's measurement gave.

    Parameters
    ----------
    rows : sequence of Finding or Row
        The figures.
    date : str
        The day, in universal time.
    minutes : float
        How long it took.
    python : str
        Python's version.
    versions : dict of str to str
        Versions of the packages.
    """

    rows: Sequence[_Row]
    date: str
    minutes: float
    python: str
    versions: dict[str, str]

    @classmethod
    def of(cls, rows: Sequence[_Row], seconds: float) -> Self:
        """Return results that were measured now, here."""
        found = {name: _version(name) for name in _PACKAGES}
        versions = {"sparsebp": __version__, **{name: v for name, v in found.items() if v}}
        date = datetime.now(UTC).date().isoformat()
        return cls(rows, date, round(seconds / 60, 1), platform.python_version(), versions)

    @classmethod
    def read(cls, path: Path, kind: type[_Row]) -> Self:
        """Return the results of a file, whose rows are of this kind."""
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**kept, "rows": [kind(**row) for row in kept["rows"]]})

    def write(self, path: Path) -> None:
        """Write the results into a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
