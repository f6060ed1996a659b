from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from thinning import first_fast

from sparsebp.coding import (
    Alternation,
    BasisState,
    Pursuit,
    encode,
    pursue,
    replaced_atoms,
    starting_codes,
    unused_atoms,
)
from sparsebp.coding.basis import optimal_directions
from sparsebp.datasets import make_dictionary_signals
from sparsebp.minimizers import Status
from sparsebp.penalties import L1, Cauchy, SmoothL1, Topographic


def planted(n_samples=200, n_features=10, n_components=15, *, seed=0, **options):
    signals = make_dictionary_signals(
        n_samples, n_features, n_components, random_state=seed, **options
    )
    return signals.X.T, signals.dictionary.T


def a_basis(n_features=10, n_components=15, seed=7):
    basis = np.random.default_rng(seed).normal(size=(n_features, n_components))
    return basis / np.linalg.norm(basis, axis=0)


def run(alternation, x, basis, *, max_iter=10, batch_size=None, callback=None):
    search = replace(alternation, max_iter=max_iter, batch_size=batch_size)
    return search.run(x, BasisState.empty(basis), 0, callback)


def replace_unused_atoms(x, basis, codes, rng):
    unused = unused_atoms(basis, (codes.astype(float) ** 2).mean(axis=1))
    return replaced_atoms(x, basis, codes, unused, rng)


def value_by_hand(x, basis, codes, alpha, gamma, epsilon):
    """The formula, for smoothed L1."""
    m = x.shape[1]
    sparsity = np.sqrt(codes**2 + epsilon).sum()
    return (((basis @ codes - x) ** 2).sum() + alpha * sparsity) / m + gamma * (basis**2).sum()


def n_found(basis, atoms):
    """Planted atoms that an atom is aligned with, one to one, better than 0.99."""
    unit = basis / np.maximum(np.linalg.norm(basis, axis=0), 1e-300)
    likeness = np.abs(atoms.T @ unit)
    return int((likeness[linear_sum_assignment(-likeness)] > 0.99).sum())


@dataclass(frozen=True)
class Spy(Alternation):
    """Keeps the batches of the turns, and may be interrupted in one of them."""

    interrupt_at: int = 0
    batches: list = field(default_factory=list)
    codes: list = field(default_factory=list)

    def improve(self, x, basis, codes):
        self.batches.append(x)
        self.codes.append(codes)
        if len(self.batches) == self.interrupt_at:
            raise KeyboardInterrupt
        return super().improve(x, basis, codes)


PENALTIES = [SmoothL1(), L1(), Cauchy(), Topographic((3, 5))]


@pytest.mark.parametrize(
    "settings", first_fast([(0.02, 0.002, "exact"), (0.3, 0.05, "exact"), (0.02, 0.002, "lbfgs")])
)
@pytest.mark.parametrize("penalty", first_fast(PENALTIES, 2), ids=lambda p: type(p).__name__)
def test_on_all_samples_no_turn_makes_the_objective_worse(penalty, settings):
    x, _ = planted(40, n_nonzero=4, snr_db=20)
    alpha, gamma, steps = settings
    result = run(Alternation(penalty, alpha, gamma, steps=steps), x, a_basis(), max_iter=12)
    assert len(result.history) == result.n_iter + 1 == 13
    assert (np.diff(result.history) <= 1e-12 * result.history[0]).all()
    assert result.history[-1] < 0.5 * result.history[0]
    assert result.value == result.history[-1]


@pytest.mark.parametrize("penalty", first_fast(PENALTIES, 2), ids=lambda p: type(p).__name__)
def test_unit_atoms_stay_so_and_no_turn_makes_the_objective_worse(penalty):
    x, _ = planted(40, n_nonzero=4, snr_db=20)
    result = run(Alternation(penalty, 0.1, None), x, a_basis(), max_iter=8)
    np.testing.assert_allclose(np.linalg.norm(result.point, axis=0), 1, atol=1e-12)
    assert (np.diff(result.history) <= 1e-12 * result.history[0]).all()
    assert result.history[-1] < 0.5 * result.history[0]


def test_a_start_with_atoms_of_another_length_is_put_on_the_constraint_first():
    x, _ = planted()
    result = run(Alternation(SmoothL1(), 0.3, None), x, 10 * a_basis(), max_iter=3)
    expected = run(Alternation(SmoothL1(), 0.3, None), x, a_basis(), max_iter=3)
    np.testing.assert_allclose(result.history, expected.history)


def test_history_begins_at_the_starts_objective():
    x, _ = planted()
    basis = a_basis()
    alternation = Alternation(SmoothL1(1e-2), 0.3, 0.05)
    expected = value_by_hand(x, basis, starting_codes(x, basis), 0.3, 0.05, 1e-2)
    assert run(alternation, x, basis, max_iter=1).history[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("steps", ["lbfgs", "exact"])
def test_a_turn_lowers_the_objective_of_its_codes(steps):
    x, _ = planted()
    alternation = Alternation(SmoothL1(1e-2), 0.3, 0.05, steps=steps)
    before, start = a_basis(), starting_codes(x, a_basis())
    basis, codes = alternation.improve(x, before, start)
    values = [
        value_by_hand(x, a, s, 0.3, 0.05, 1e-2)
        for a, s in ((before, start), (before, codes), (basis, codes))
    ]
    assert values[0] > values[1] > values[2]
    assert alternation.value(x, basis, codes) == pytest.approx(values[2], rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [(0.1, 0.02, 3), (0.5, 0.1, 6)])
def test_all_samples_converge_to_a_fixed_point(settings):
    """With the second parameters the optimum does without three of the atoms."""
    alpha, gamma, n_components = settings
    x, _ = planted(60, 4, 6, n_nonzero=2)
    alternation = Alternation(SmoothL1(1e-2), alpha, gamma, steps="exact", tol=1e-4)
    result = run(alternation, x, a_basis(4, n_components), max_iter=250)
    assert result.status is Status.CONVERGED
    codes = encode(x, result.point, SmoothL1(1e-2), alpha).points
    gradient = 2 / 60 * (result.point @ codes - x) @ codes.T + 2 * gamma * result.point
    assert np.abs(gradient).max() < 1e-3 * np.abs(2 / 60 * x @ codes.T).max()


def test_both_kinds_of_steps_agree():
    x, _ = planted(n_nonzero=4, snr_db=20)
    values = [
        run(
            Alternation(SmoothL1(), 0.05, 0.005, steps=step, tol=0), x, a_basis(), max_iter=10
        ).value
        for step in ("lbfgs", "exact")
    ]
    assert values[0] == pytest.approx(values[1], rel=0.02)


def test_the_iteration_limit_is_a_status():
    x, _ = planted()
    result = run(Alternation(SmoothL1(), 0.3, 0.05), x, a_basis(), max_iter=2)
    assert (result.status, result.n_iter) == (Status.ITERATION_LIMIT, 2)


@pytest.mark.parametrize("batch_size", [50, 200])
def test_a_callback_that_returns_true_stops(batch_size):
    calls = []

    def callback(turn, value, state):
        calls.append((turn, value, state.basis))
        return turn == 3

    x, _ = planted()
    alternation = Alternation(SmoothL1(), 0.3, 0.05)
    result = run(alternation, x, a_basis(), batch_size=batch_size, callback=callback)
    assert (result.status, result.n_iter) == (Status.STOPPED, 3)
    assert [c[:2] for c in calls] == list(enumerate(result.history))[1:]
    np.testing.assert_array_equal(calls[-1][2], result.point)


@pytest.mark.parametrize("at", [1, 2, 4])
def test_an_interrupt_leaves_the_last_basis(at):
    x, _ = planted()
    alternation = Spy(SmoothL1(), 0.3, 0.05, steps="exact", interrupt_at=at)
    seen = [a_basis()]
    result = run(alternation, x, a_basis(), callback=lambda i, v, state: seen.append(state.basis))
    assert (result.status, result.n_iter) == (Status.INTERRUPTED, at - 1)
    assert len(result.history) == at
    np.testing.assert_array_equal(result.point, seen[-1])


@pytest.mark.parametrize("step", ["codes", "basis"])
def test_an_interrupt_inside_a_search_ends_the_alternation(step, monkeypatch):
    from sparsebp.problems import Objective

    calls, raised = [], []
    original = Objective.value_and_gradient

    def interrupted(self, point):
        calls.append(self.free)
        if self.free == ("s" if step == "codes" else "A") and len(calls) > 3 and not raised:
            raised.append(True)
            raise KeyboardInterrupt
        return original(self, point)

    monkeypatch.setattr(Objective, "value_and_gradient", interrupted)
    x, _ = planted()
    result = run(Alternation(SmoothL1(), 0.3, 0.05), x, a_basis())
    assert (result.status, result.n_iter) == (Status.INTERRUPTED, 0)
    np.testing.assert_array_equal(result.point, a_basis())


def test_turns_take_fresh_batches():
    x, _ = planted()
    alternation = Spy(SmoothL1(), 0.3, 0.05)
    result = run(alternation, x, a_basis(), batch_size=40, max_iter=5)
    assert result.n_iter == 5
    together = np.hstack(alternation.batches)
    assert together.shape == x.shape
    np.testing.assert_allclose(np.sort(together.ravel()), np.sort(x.ravel()))


def test_on_all_samples_the_codes_carry_over_and_on_batches_they_restart():
    x, _ = planted(60)
    whole, batches = Spy(SmoothL1(), 0.05, 0.005), Spy(SmoothL1(), 0.05, 0.005)
    run(whole, x, a_basis(), max_iter=2)
    np.testing.assert_array_equal(whole.codes[0], starting_codes(x, a_basis()))
    _, expected = Alternation(SmoothL1(), 0.05, 0.005).improve(x, a_basis(), whole.codes[0])
    np.testing.assert_array_equal(whole.codes[1], expected)
    result = run(batches, x, a_basis(), batch_size=30, max_iter=2, callback=lambda i, *_: i == 2)
    first, _ = Alternation(SmoothL1(), 0.05, 0.005).improve(
        batches.batches[0], a_basis(), batches.codes[0]
    )
    assert result.n_iter == 2
    np.testing.assert_array_equal(batches.codes[1], starting_codes(batches.batches[1], first))


def test_a_basis_whose_atoms_are_all_used_is_returned_itself():
    x, atoms = planted()
    codes = encode(x, atoms, SmoothL1(), 0.1).points
    assert replace_unused_atoms(x, atoms, codes, np.random.RandomState(0)) is atoms


@pytest.mark.parametrize("how", ["never coded", "of length zero", "tiny"])
@pytest.mark.parametrize("dtype", first_fast([np.float32, np.float64]))
def test_unused_atoms_become_residuals_of_median_length(how, dtype):
    x, atoms = (a.astype(dtype) for a in planted(80))
    basis = atoms * np.linspace(1, 2, 15, dtype=dtype)
    codes = encode(x, basis, SmoothL1(), 0.1).points
    if how == "never coded":
        codes[[2, 9]] = 0
    else:
        basis[:, [2, 9]] *= 0 if how == "of length zero" else dtype(1e-6)
    before = basis.copy()
    replaced = replace_unused_atoms(x, basis, codes, np.random.RandomState(0))
    np.testing.assert_array_equal(basis, before)
    others = np.setdiff1d(np.arange(15), [2, 9])
    np.testing.assert_array_equal(replaced[:, others], basis[:, others])
    assert replaced.dtype == dtype
    residual = x - basis @ codes
    residual /= np.linalg.norm(residual, axis=0)
    for r in (2, 9):
        length = np.linalg.norm(replaced[:, r])
        assert length == pytest.approx(np.median(np.linalg.norm(basis, axis=0)), rel=1e-5)
        assert (replaced[:, r] / length @ residual).max() == pytest.approx(1, abs=1e-5)


def test_samples_that_are_reconstructed_exactly_are_not_drawn():
    basis = np.eye(3)[:, [0, 1, 1]]
    codes = np.array([[1.0, 1, 1, 1], [1, 2, 3, 4], [0, 0, 0, 0]])
    x = basis @ codes
    assert replace_unused_atoms(x, basis, codes, np.random.RandomState(0)) is basis
    x[2, 1] = 0.5
    replaced = replace_unused_atoms(x, basis, codes, np.random.RandomState(0))
    np.testing.assert_allclose(replaced[:, 2], [0, 0, 1])


def test_more_unused_atoms_than_samples_and_a_basis_of_zeros_do_not_crash():
    x = np.random.default_rng(0).normal(size=(3, 2))
    basis, codes = np.eye(3)[:, [0, 0, 0, 0, 1, 1, 1, 1]], np.zeros((8, 2))
    replaced = replace_unused_atoms(x, basis, codes, np.random.RandomState(0))
    assert (replaced != basis).any(axis=0).sum() == 2
    nothing = np.zeros_like(basis)
    assert replace_unused_atoms(x, nothing, codes, np.random.RandomState(0)) is nothing


@pytest.mark.parametrize("penalty", [SmoothL1(), L1()], ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("steps", ["lbfgs", "exact"])
def test_samples_of_zeros_learn_nothing_and_do_not_crash(penalty, steps):
    result = run(Alternation(penalty, 0.3, 0.05, steps=steps), np.zeros((10, 30)), a_basis())
    assert np.isfinite(result.history).all()
    assert np.isfinite(result.point).all()


@pytest.mark.parametrize("batch_size", [40, 80])
def test_the_same_seed_gives_the_same_basis_and_inputs_are_left_alone(batch_size):
    x, _ = planted(80)
    basis = a_basis()
    copies = x.copy(), basis.copy()
    alternation = Alternation(SmoothL1(), 0.3, 0.05)
    first, second = (
        run(alternation, x, basis, batch_size=batch_size, max_iter=3) for _ in range(2)
    )
    np.testing.assert_array_equal(first.point, second.point)
    np.testing.assert_array_equal(x, copies[0])
    np.testing.assert_array_equal(basis, copies[1])


def test_keeps_float32():
    x, _ = planted()
    alternation = Alternation(SmoothL1(), 0.3, 0.05)
    result = run(alternation, x.astype(np.float32), a_basis().astype(np.float32), max_iter=2)
    assert result.point.dtype == np.float32


def n_found_of_a_small_dictionary(penalty, steps, seed):
    """Count how many of 15 planted atoms turns find from a random start, which holds none."""
    x, atoms = planted(400, n_nonzero=2, snr_db=20, seed=seed)
    start = a_basis(seed=seed)
    alternation = Alternation(penalty, 0.1, 0.01, steps=steps)
    result = run(alternation, x, start, batch_size=100, max_iter=60)
    assert n_found(start, atoms) == 0
    return n_found(result.point, atoms)


@pytest.mark.slow
@pytest.mark.parametrize("penalty", [L1(), SmoothL1(1e-4)], ids=lambda p: type(p).__name__)
def test_finds_a_small_planted_dictionary(penalty):
    found = [n_found_of_a_small_dictionary(penalty, "exact", seed) for seed in range(3)]
    assert np.mean(found) >= 9


@pytest.mark.slow
@pytest.mark.parametrize("steps", ["lbfgs", "exact"])
@pytest.mark.parametrize("penalty", [SmoothL1(1e-4), L1()], ids=lambda p: type(p).__name__)
def test_finds_most_of_a_small_planted_dictionary_from_most_starts(penalty, steps):
    found = [n_found_of_a_small_dictionary(penalty, steps, seed) for seed in range(6)]
    assert np.mean(found) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("steps", ["lbfgs", "exact"])
@pytest.mark.parametrize("penalty", [SmoothL1(1e-4), L1()], ids=lambda p: type(p).__name__)
def test_finds_a_planted_dictionary(penalty, steps):
    found = []
    for seed in range(2):  # one draw may be 44 or 46, by rounding
        x, atoms = planted(1500, 20, 50, snr_db=20, seed=seed)
        alternation = Alternation(penalty, 0.2, 0.01, steps=steps)
        start = a_basis(20, 50)
        assert n_found(start, atoms) == 0
        result = run(alternation, x, start, batch_size=500, max_iter=120)
        found.append(n_found(result.point, atoms))
    assert np.mean(found) >= 45


@pytest.mark.parametrize("is_locked", [True, False])
def test_smooth_codes_take_threads_only_without_an_interpreter_lock(is_locked, monkeypatch):
    monkeypatch.setattr("sys._is_gil_enabled", lambda: is_locked, raising=False)
    submit, seen = ThreadPoolExecutor.submit, []

    def note(self, *work):
        seen.append(work)
        return submit(self, *work)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", note)
    x, _ = planted(500)  # two blocks
    alternation = Alternation(SmoothL1(1e-3), 0.1, None, n_threads=2)
    basis = run(alternation, x, a_basis(), max_iter=2).state.basis
    assert bool(seen) != is_locked
    one = run(replace(alternation, n_threads=1), x, a_basis(), max_iter=2).state.basis
    np.testing.assert_array_equal(basis, one)


def test_a_pursuit_and_optimal_directions_are_the_loop_of_two_lines():
    rng = np.random.default_rng(0)
    x, basis = rng.normal(size=(6, 90)), np.eye(6, 8) + 0.1 * rng.normal(size=(6, 8))
    expected = basis / np.linalg.norm(basis, axis=0)
    for _ in range(3):
        codes = pursue(x, expected, n_nonzero=2)
        expected = x @ np.linalg.pinv(codes)
        value = np.square(x - expected @ codes).sum(axis=0).mean()
        expected /= np.linalg.norm(expected, axis=0)
    search = Alternation(Pursuit(n_nonzero=2), 0.0, None, steps="exact", max_iter=3, tol=0.0)
    result = search.run(x, BasisState.empty(basis), 0)
    np.testing.assert_allclose(result.point, expected, atol=1e-9)
    assert result.value == pytest.approx(value)
    assert (np.diff(result.history[1:]) < 0).all()


def test_optimal_directions_keep_atoms_that_no_sample_uses():
    x, codes = np.array([[2.0, 4.0], [2.0, 4.0]]), np.array([[1.0, 2.0], [0.0, 0.0]])
    basis, lengths = optimal_directions(x, codes, np.eye(2))
    np.testing.assert_allclose(basis, [[0.5**0.5, 0], [0.5**0.5, 1]])
    np.testing.assert_allclose(lengths, [8**0.5, 1])
