"""The same work on a GPU, in PyTorch's arrays, and on the host: ``python -m benchmarks.gpu``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from sklearn.decomposition import FastICA

from benchmarks.data import atoms_from, patches, random_rows
from benchmarks.records import machine
from benchmarks.timing import timed
from sparsebp.coding.l1 import encode_together
from sparsebp.datasets import make_mixtures
from sparsebp.metrics import duality_gap
from sparsebp.minimizers import minimize_lbfgs
from sparsebp.penalties import L1, LogCosh, SmoothL1
from sparsebp.preprocessing import Whitening
from sparsebp.problems import orthonormal_ica, reconstruction_ica
from sparsebp.samples import ArraySamples, DeviceSamples, Samples, count_threads, device

app = typer.Typer(add_completion=False)

#: Weight of L1, as in the row `codes` of the comparison; relative duality gap of the codes.
_ALPHA, _GAP = 0.5, 1e-3


@dataclass(frozen=True)
class Found:
    """What was measured, what is wanted, and how far the results are from the host's.

    Parameters
    ----------
    work : str
        What was done.
    measure : str
        What the number is.
    number : float
        It.
    goal : float or None
        What it should reach.
    is_cost : bool
        Whether less is better.
    error : float or None
        Relative difference from the host, or a bound on it.
    seconds : float
        Median time of one run on the device.
    note : str
        What else there is to know.
    """

    work: str
    measure: str
    number: float
    goal: float | None
    is_cost: bool
    error: float | None
    seconds: float
    note: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether the goal is reached."""
        if self.goal is None:
            return True
        return self.number <= self.goal if self.is_cost else self.number >= self.goal


@dataclass(frozen=True)
class Place:
    """A device of PyTorch.

    Parameters
    ----------
    name : str
        Such as "cuda".
    toy : bool
        Whether to do everything small, to see that it runs.
    """

    name: str
    toy: bool

    def put(self, array: np.ndarray) -> Any:
        """Return a copy of an array on the device."""
        import torch

        return torch.asarray(array, copy=True).to(self.name)

    def time(self, run: Callable[[], Any], repeats: int = 5) -> tuple[float, Any]:
        """Return the median time of a call until the device is idle, and the last outcome."""
        import torch

        def waited() -> Any:
            outcome = run()
            if self.name != "cpu":
                torch.cuda.synchronize()
            return outcome

        waited()
        runs = [timed(waited) for _ in range(1 if self.toy else repeats)]
        return median(seconds for seconds, _ in runs), runs[-1][1]

    def peak(self) -> float:
        """Return the floating-point operations a second of a large matrix product in float32."""
        import torch

        n = 256 if self.toy else 8192
        a, b = (torch.randn(n, n, device=self.name) for _ in range(2))
        return 2 * n**3 / self.time(lambda: a @ b)[0]


def codes(place: Place) -> list[Found]:
    """Measure L1 codes of patches, 144 × 256, to a relative duality gap."""
    side, n, n_atoms, n_checked = (6, 2000, 48, 500) if place.toy else (12, 2**21, 256, 5000)
    X = patches(side, n, dtype=np.float32)
    basis = atoms_from(X, n_atoms).astype(np.float32)
    rows = place.put(X)
    found = []
    for size in (n // 16, n // 4, n):

        def encode(size: int = size) -> list[Any]:
            blocks = (rows[first : first + size].T for first in range(0, n, size))
            encoder = partial(encode_together, penalty=L1(), alpha=_ALPHA, tol=_GAP)
            return [encoder(block, basis) for block in blocks]

        seconds, outcome = place.time(encode, 3)
        some = outcome[0][0][:, :n_checked].T.cpu().numpy().astype(np.float64)
        checked = X[: len(some)].astype(np.float64)
        gap = float(duality_gap(checked, basis.T.astype(np.float64), some, _ALPHA).max())
        left = sum(unfinished for _, unfinished in outcome)
        note = f"in batches of {size:,}; {(some != 0).sum(axis=1).mean():.1f} active; {left} left"
        work = f"L1 codes, {n:,} patches, {side**2} × {n_atoms}, gap {_GAP:g}"
        found.append(Found(work, "codes/s", n / seconds, 3e6, False, gap, seconds, note))
    return found


def reconstruction(place: Place) -> list[Found]:
    """Measure the value and gradient of reconstruction ICA as a share of the matrix peak."""
    import torch

    n, k = (4000, 16) if place.toy else (1_000_000, 256)
    n_checked = 1000 if place.toy else 20_000
    generator = torch.Generator(place.name).manual_seed(0)
    rows = torch.randn((n, k), generator=generator, device=place.name)
    w = random_rows((k, k)).astype(np.float32)
    problem = reconstruction_ica(SmoothL1(0.01), 1.0)
    few = rows[:n_checked].cpu().numpy()
    here = DeviceSamples(rows[:n_checked])
    host = ArraySamples(few.T.astype(np.float64), count_threads(None))
    peak = place.peak()
    found = []
    for compressed, products in ((False, 5), (True, 2)):
        value, gradient = _evaluate(problem, host, w.astype(np.float64), compressed)()
        other, slope = _evaluate(problem, here, w, compressed)()
        error = max(_error(other, value), _error(slope, gradient))
        for size in (2**14, 2**16, 2**18):
            device.DEVICE_BLOCK = size
            run = _evaluate(problem, DeviceSamples(rows), w, compressed)
            seconds, _ = place.time(run)
            rate = 2 * products * k * k * n / seconds
            note = f"blocks of {size:,}; {rate / 1e12:.3g} of {peak / 1e12:.3g} TFLOP/s"
            note += "; squared error from second moments" if compressed else ""
            work = f"RICA value and gradient, {n:,} × {k}, {k} filters"
            found.append(
                Found(work, "share of peak", rate / peak, 0.5, False, error, seconds, note)
            )
    device.DEVICE_BLOCK = 2**16
    return found


def _evaluate(problem: Any, x: Samples, w: np.ndarray, compressed: bool) -> Callable[[], Any]:
    objective = problem.objective("W", {"x": x}, compressed=compressed)
    return lambda: objective.value_and_gradient(w)


def _error(found: Any, expected: Any) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def orthonormal(place: Place) -> list[Found]:
    """Measure the time of orthonormal ICA to FastICA's contrast, mean log cosh."""
    n, k = (3000, 4) if place.toy else (450_000, 64)
    X = make_mixtures(n, k, random_state=0).X
    whitening = Whitening("pca").fit(X)
    white = whitening.transform(X).astype(np.float32)
    rng = np.random.default_rng(0)
    peer = FastICA(whiten=False, fun="logcosh", tol=1e-4, max_iter=200, random_state=0)
    theirs, _ = timed(lambda: peer.fit(white))
    problem, samples = orthonormal_ica(LogCosh()), DeviceSamples(place.put(white))
    start = problem.project(rng.standard_normal((k, k))).astype(np.float32)
    contrast = problem.objective("W", {"x": samples})
    target = contrast.value_and_gradient(problem.project(peer.components_).astype(np.float32))[0]
    on_host = problem.objective("W", {"x": ArraySamples(white.T, count_threads(None))})

    def search() -> tuple[np.ndarray, int]:
        objective = problem.constrained(problem.objective("W", {"x": samples}))

        def stop(iteration: int, value: float, point: np.ndarray) -> bool:
            return value <= (1 + 1e-6) * target

        result = minimize_lbfgs(objective, start, max_iter=2000, tol=1e-9, callback=stop)
        return problem.project(result.point), result.n_iter

    seconds, (filters, n_iter) = place.time(search, 3)
    value = float(on_host.value_and_gradient(filters)[0])
    excess = value / target - 1
    note = f"{n_iter} iterations to {value:.7g}; FastICA {target:.7g} in {theirs:.1f} s on the host"
    work = f"orthonormal ICA, {k} × {n:,}, to FastICA's contrast"
    return [Found(work, "s", seconds, 1.0, True, excess, seconds, note)]


ROWS = {"codes": codes, "reconstruction": reconstruction, "orthonormal": orthonormal}


@app.command()
def gpu(
    toy: Annotated[bool, typer.Option("--toy", help="Small sizes, as a test.")] = False,
    name: Annotated[str, typer.Option("--device", help="A device of PyTorch.")] = "cuda",
    only: Annotated[list[str] | None, typer.Option(help="Some of the rows.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for gpu.json.")] = Path("benchmark"),
) -> None:
    """Measure what a GPU gains, check its results against the host's, and write gpu.json."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    place, console, found = Place(name, toy), Console(width=160), []
    out.mkdir(parents=True, exist_ok=True)
    card = torch.cuda.get_device_name() if name.startswith("cuda") else name
    for row in only or ROWS:
        took, more = timed(partial(ROWS[row], place))
        found += more
        console.print(_table(more, f"{row} on {card}, {took:.0f} s in all"))
        rows = [{**asdict(f), "is_reached": f.is_reached} for f in found]
        about = {"machine": machine(), "card": card, "torch": torch.__version__}
        text = json.dumps({**about, "records": rows}, indent=2, ensure_ascii=False)
        (out / "gpu.json").write_text(text + "\n", encoding="utf-8")


def _table(found: list[Found], title: str) -> Table:
    table = Table(title=title)
    for column in ("work", "measure", "number", "goal", "error", "seconds", "note"):
        table.add_column(column, overflow="fold")
    for f in found:
        color = "green" if f.is_reached else "red"
        numbers = (f"[{color}]{f.number:.4g}[/]", f"{f.goal:g}", f"{f.error:.1e}")
        table.add_row(f.work, f.measure, *numbers, f"{f.seconds:.4g}", f.note)
    return table


if __name__ == "__main__":
    app()
