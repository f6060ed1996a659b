"""Results of a comparison, as rows of a table and of a file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from packaging.version import Version
from rich.table import Table
from threadpoolctl import threadpool_info

#: Results of complete runs, one file for each release.
HISTORY = Path(__file__).with_name("history")
_PACKAGES = ("sparsebp", "numpy", "scipy", "scikit-learn", "torch", "spams-bin", "python-picard")


@dataclass(frozen=True)
class Record:
    """One piece of work, done by the package and by a peer.

    Parameters
    ----------
    work : str
        What was done.
    peer : str
        Who did it too.
    ours, theirs : float or None
        Costs, in `unit`; None where the peer could not run, inf where a goal was never reached.
    target : float or None
        The goal for the ratio theirs / ours.
    note : str
        What else there is to know, such as the objectives reached.
    unit : str
        Of the costs.
    """

    work: str
    peer: str
    ours: float | None = None
    theirs: float | None = None
    target: float | None = None
    note: str = ""
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """How many times the package's cost the peer's is."""
        if self.ours is None or self.theirs is None or not np.isfinite(self.ours):
            return None
        return self.theirs / self.ours

    @classmethod
    def missing(cls, work: str, peer: str) -> Record:
        """Return the record of a peer that is not there."""
        return cls(work, peer, note="not installed")


def last_ratios() -> dict[tuple[str, str], float]:
    """Return the ratios of the last release whose results are kept, by work and peer."""
    kept = sorted(HISTORY.glob("*.json"), key=lambda path: Version(path.stem))
    rows = json.loads(kept[-1].read_text("utf-8"))["records"] if kept else []
    return {(row["work"], row["peer"]): row["ratio"] for row in rows if row["ratio"] is not None}


def table(
    records: Sequence[Record],
    title: str,
    before: Mapping[tuple[str, str], float] = MappingProxyType({}),
) -> Table:
    """Return records as a table for the terminal.

    Parameters
    ----------
    records : sequence of Record
        One for each row.
    title : str
        What stands above.
    before : mapping of (work, peer) to float
        Ratios of the last release.

    Returns
    -------
    table : rich.table.Table
        Ratios that meet their target are green, others red.
    """
    shown = Table(title=title)
    for name in ("work", "peer", "ours", "peer's", "ratio", "last", "target", "note"):
        right = name in ("ours", "peer's", "ratio", "last", "target")
        shown.add_column(name, justify="right" if right else "left", overflow="fold")
    for record in records:
        color = "" if None in (record.ratio, record.target) else _color(record)
        shown.add_row(
            record.work,
            record.peer,
            *(_number(cost, record.unit) for cost in (record.ours, record.theirs)),
            f"[{color}]{_number(record.ratio, '×')}[/]" if color else _number(record.ratio, "×"),
            _number(before.get((record.work, record.peer)), "×"),
            _number(record.target, "×"),
            record.note,
        )
    return shown


def machine() -> dict[str, Any]:
    """Return where the numbers come from: date, processor, versions, BLAS."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "processor": models[0] if models else platform.processor(),
        "cores": len(affinity(0)) if affinity is not None else os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _PACKAGES},
        "blas": [
            {key: library.get(key) for key in ("internal_api", "version", "num_threads")}
            for library in threadpool_info()
        ],
    }


def write(records: Sequence[Record], path: Path) -> None:
    """Write records, and the machine they come from, as JSON.

    Parameters
    ----------
    records : sequence of Record
        What was found; what is infinite is written as null.
    path : Path
        The file.
    """
    rows = [{**asdict(record), "ratio": record.ratio} for record in records]
    finite = [{key: _finite(value) for key, value in row.items()} for row in rows]
    text = json.dumps({"machine": machine(), "records": finite}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _color(record: Record) -> str:
    assert record.ratio is not None
    assert record.target is not None
    return "green" if record.ratio >= record.target else "red"


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return "never" if np.isinf(value) else f"{value:.3g} {unit}"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
