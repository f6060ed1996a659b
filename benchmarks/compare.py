"""Compare the package with its peers, all in one run: ``python -m benchmarks.compare``."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sklearn.exceptions import ConvergenceWarning

from benchmarks.data import patches
from benchmarks.pictures import draw_curves
from benchmarks.records import Record, last_ratios, machine, table, write
from benchmarks.rows import ROWS
from benchmarks.setting import Setting
from sparsebp.cli.endings import exit_with_message

app = typer.Typer(add_completion=False)


@app.command()
def compare(
    toy: Annotated[bool, typer.Option("--toy", help="Small sizes, as a test.")] = False,
    images: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of photographs.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("benchmark"),
    only: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(ROWS)}.")] = None,
    seconds: Annotated[
        float, typer.Option(min=1.0, help="Time for each search for RICA's filters.")
    ] = 240.0,
) -> None:
    """Run the rows, print a table, and write results.json and curves.png."""
    unknown = set(only or ()) - set(ROWS)
    if unknown:
        raise typer.BadParameter(f"no row {', '.join(sorted(unknown))}; of {', '.join(ROWS)}")
    warnings.simplefilter("ignore", ConvergenceWarning)
    console = Console(width=max(Console().width, 150))
    setting = Setting(toy, images, min(seconds, 1.0) if toy else seconds)
    with exit_with_message():  # user errors; an error within a row has a traceback
        out.mkdir(parents=True, exist_ok=True)
        patches(8, 2, images)
    records: list[Record] = []
    before = last_ratios()
    for name in only or ROWS:
        with console.status(f"{name} …"):
            found = ROWS[name](setting)
        console.print(table(found, name, before))
        records += found
        write(records, out / "results.json")  # after every row: an interrupted run keeps the rest
    if setting.curves:
        draw_curves(setting.curves, out / "curves.png")
    where = machine()
    console.print(f"{where['processor']}, {where['cores']} cores; results in {out}")


if __name__ == "__main__":
    app()
