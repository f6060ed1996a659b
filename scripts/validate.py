"""Measure whether the package reaches its goals, and reproduces what others have published.

    python scripts/validate.py                            # everything that needs no other data
    python scripts/validate.py --data FOLDER --out docs   # everything, and docs/validation.md
    python scripts/validate.py --only ksvd                # subjects whose names contain a word
    python scripts/validate.py --only page --out docs     # nothing; only write the page again
    python scripts/validate.py --toy                      # only to see that everything runs

Subjects with goals, such as a peer's figure, decide the exit status: it is 1 when a goal is missed.
Subjects of published findings take data sets that data/README.md describes; without them they are
skipped, and the page keeps their former results.
"""

import importlib
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from validation import finding, page, table
from validation.results import Results
from validation.setting import NotGivenError, Setting


def main(
    only: Annotated[str, typer.Option(help="Only subjects whose names contain this.")] = "",
    toy: Annotated[bool, typer.Option(help="Small sizes, as a test.")] = False,
    images: Annotated[Path | None, typer.Option(help="Photographs instead of two samples.")] = None,
    data: Annotated[Path | None, typer.Option(help="The data sets of data/README.md.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where results and the page go.")] = None,
) -> None:
    """Measure, print tables, and write results, pictures and the page into OUT if it is given."""
    folder = None if out is None else out / page.FOLDER
    setting, console = Setting(toy, images, data, folder), Console()
    chosen = [name for name in (*page.PUBLISHED, *page.GOALS) if only in name]
    if not chosen and only != "page":
        names = ", ".join([*page.PUBLISHED, *page.GOALS, "page"])
        raise typer.BadParameter(f"--only {only} names none of {names}.")
    missed = False
    for name in chosen:
        console.print(f"Measuring {name} …")
        began = time.perf_counter()
        try:
            rows = list(importlib.import_module(page.module_of(name)).rows(setting))
        except NotGivenError as missing:
            console.print(f"Skipped {name}: {missing}.")
            continue
        as_table = finding.as_table if name in page.PUBLISHED else table.as_table
        console.print(as_table(rows, toy=toy))
        missed |= name in page.GOALS and any(row.met is False for row in rows)
        if folder is not None:
            Results.of(rows, time.perf_counter() - began).write(folder / f"{name}.json")
    if folder is not None:
        folder.with_suffix(".md").write_text(page.rendered(folder, toy=toy), encoding="utf-8")
    if missed and not toy:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
