"""Measure the package with default parameters: a table of figures and goals.

    python scripts/validate.py                    # everything; takes minutes
    python scripts/validate.py --only signs       # the points whose names contain a word
    python scripts/validate.py --toy              # only to see that everything runs

A figure without a goal is for comparison, such as a peer's, measured in the same run. The exit
status is 1 when a goal is missed.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import typer
from rich.console import Console
from validation import components, exercises, gabor, online, overcomplete, restoration
from validation.table import Row, Setting, as_table, write_csv

#: What is measured under each name, in this order.
SUBJECTS: Mapping[str, Callable[[Setting], Iterator[Row]]] = {
    "signs, number of components, few samples": components.rows,
    "exercises": exercises.rows,
    "restoration": restoration.rows,
    "overcomplete": overcomplete.rows,
    "gabor": gabor.rows,
    "online": online.rows,
}


def main(
    only: str = "",
    toy: bool = False,
    images: Path | None = None,
    out: Path | None = None,
) -> None:
    """Measure, print the table, and write it into the CSV file OUT if one is named."""
    setting, console = Setting(toy, images), Console()
    chosen = {name: subject for name, subject in SUBJECTS.items() if only in name}
    if only and not chosen:
        raise typer.BadParameter(f"--only {only} names none of {', '.join(SUBJECTS)}.")
    rows: list[Row] = []
    for name, subject in chosen.items():
        console.print(f"Measuring {name} …")
        rows += subject(setting)
    console.print(as_table(rows, toy=toy))
    if out is not None:
        write_csv(rows, out)
    if not toy and any(row.met is False for row in rows):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
