"""Time and memory of a fit against its size: ``python -m benchmarks.scaling``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.fresh import Cost, Work, measure
from benchmarks.pictures import draw_scaling
from benchmarks.records import machine

app = typer.Typer(add_completion=False)

_OURS = ("SparseCoding", "SparseCoding online", "ReconstructionICA", "OrthonormalICA")
_FIELDS = {"samples": "n_samples", "components": "n_components", "pixels along a patch": "side"}
_FULL = {
    "samples": (6250, 12_500, 25_000, 50_000, 100_000),
    "components": (16, 32, 64, 128),
    "pixels along a patch": (8, 12, 16, 24),
}
_TOY = {
    "samples": (500, 1000),
    "components": (8,),  # each fit is a process of its own, which takes seconds to begin
    "pixels along a patch": (4,),
}


def works(estimator: str, what: str, *, toy: bool, images: Path | None = None) -> Iterator[Work]:
    """Return the fits of one sweep, in which one size grows and the others stay.

    Parameters
    ----------
    estimator : str
        Which.
    what : str
        What grows.
    toy : bool
        Whether to keep everything small.
    images : Path, optional
        Folder of photographs.

    Yields
    ------
    work : Work
        From the smallest to the largest.
    """
    middle = Work(estimator, 1000, 8, 4, 2) if toy else Work(estimator, 25_000, 48, 12, 20)
    for size in (_TOY if toy else _FULL)[what]:
        yield replace(middle, images=images, **{_FIELDS[what]: size})


@app.command()
def scaling(
    toy: Annotated[bool, typer.Option("--toy", help="Small sizes, as a test.")] = False,
    images: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of photographs.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("benchmark"),
) -> None:
    """Fit at growing sizes, print tables, and write scaling.json and scaling.png."""
    console = Console()
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[tuple[Work, Cost]]] = {}
    for what in _FIELDS:
        sweep = [work for name in _OURS for work in works(name, what, toy=toy, images=images)]
        with console.status(f"growing {what} …"):
            found[what] = [(work, measure(work)) for work in sweep]
        console.print(_table(what, found[what]))
    draw_scaling({what: _points(what, costs) for what, costs in found.items()}, out / "scaling.png")
    rows = [
        {"grows": what, **asdict(work), **asdict(cost), "images": str(work.images or "sample")}
        for what, costs in found.items()
        for work, cost in costs
    ]
    text = json.dumps({"machine": machine(), "fits": rows}, indent=2, ensure_ascii=False)
    (out / "scaling.json").write_text(text + "\n", encoding="utf-8")
    console.print(f"results in {out}")


def _points(what: str, costs: list[tuple[Work, Cost]]) -> dict[str, list[tuple[int, float, float]]]:
    points: dict[str, list[tuple[int, float, float]]] = {}
    for work, cost in costs:
        size = getattr(work, _FIELDS[what])
        points.setdefault(work.estimator, []).append((size, cost.seconds, cost.megabytes))
    return points


def _table(what: str, costs: list[tuple[Work, Cost]]) -> Table:
    shown = Table(title=f"a fit, by {what}")
    for name in ("estimator", what, "seconds", "peak MB beyond the data"):
        shown.add_column(name, justify="left" if name == "estimator" else "right")
    for estimator, points in _points(what, costs).items():
        for size, seconds, megabytes in points:
            shown.add_row(estimator, f"{size:,}", f"{seconds:.3g}", f"{megabytes:.3g}")
        shown.add_section()
    return shown


if __name__ == "__main__":
    app()
