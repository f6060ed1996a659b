"""A random campaign against everything public: a finite result or a refusal in our own words.

Repeat one call by ``random_call(seed, number)``; `tests/random_data.py` has what is given.
"""

import copy
import linecache
import pickle
import signal
import traceback
import warnings

import numpy as np
import pandas as pd
import pytest
from random_calls import random_call

from sparsebp._namespaces import to_numpy

SEEDS, N_CALLS = range(4), 250
#: Seconds of a processor, and by the clock, after which a call counts as hanging.
LIMITS = {signal.ITIMER_PROF: 30, signal.ITIMER_REAL: 120}
DOCUMENTED = (ValueError, TypeError, AttributeError, MemoryError, OSError)
#: Whose refusals users know; a table, a name or a path is theirs to judge.
ACCEPTED = ("/sparsebp/", "/sklearn/utils/", "/sklearn/base.py", "/sklearn/pipeline.py")


class Hang(BaseException):
    """Not an Exception, which code under test may catch."""


def stop(*_):
    raise Hang


@pytest.fixture(autouse=True)
def limits():
    handlers = {n: signal.signal(n, stop) for n in (signal.SIGPROF, signal.SIGALRM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def outcome(call):
    """Call; return what is wrong with how it ended, or nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            for timer, seconds in LIMITS.items():
                signal.setitimer(timer, seconds)
            result = call()
        except Hang:
            return "hangs"
        except Exception as error:
            return what_is_wrong(error)
        finally:
            for timer in LIMITS:
                signal.setitimer(timer, 0)
    return "" if is_finite(result) else f"not finite: {result!r:.200}"


def what_is_wrong(error):
    """Say why an error is none that a user can act on: who raises it, and in how many words."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    line = last.line or linecache.getline(last.filename, last.lineno)
    raised = line.strip().startswith("raise") and any(p in last.filename for p in ACCEPTED)
    path = "pathlib" in last.filename and isinstance(error, OSError | TypeError)
    text = "could not convert string" in str(error)
    table = "pandas" in last.filename or "at least one array or dtype is required" in str(error)
    names = "len(input_features)" in line
    known = raised or ("/sklearn/" in last.filename and (text or table or names)) or path
    words = len(str(error).split()) >= 4
    if isinstance(error, DOCUMENTED) and known and words:
        return ""
    return f"{type(error).__name__} at {last.filename}:{last.lineno}: {error!s:.200}"


def is_finite(result):
    if isinstance(result, list | tuple):
        return all(map(is_finite, result))
    if isinstance(result, dict):
        return is_finite(list(result.values()))
    array = to_numpy(result)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def bytes_of(given):
    """Return what must not change: the values, but no generator's state."""
    if isinstance(given, dict):
        return {name: bytes_of(value) for name, value in given.items()}
    if isinstance(given, np.ma.MaskedArray):
        return bytes_of(given.data), bytes_of(np.ma.getmaskarray(given))
    if isinstance(given, np.ndarray) and not given.dtype.hasobject:
        return given.dtype, given.shape, given.tobytes()
    if isinstance(given, pd.DataFrame):
        return given.to_csv()
    if isinstance(given, list | tuple):
        return pickle.dumps(given)
    return None


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_calls_end_with_finite_results_or_refusals(seed):
    wrong = []
    for number in range(N_CALLS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            words, call, given = random_call(seed, number)
        before = copy.deepcopy(bytes_of(given))
        found = outcome(call)
        if bytes_of(given) != before:
            found += " changes its input"
        if found:
            wrong.append(f"random_call({seed}, {number}) {words}\n    {found}")
    assert not wrong, "\n".join(wrong)
