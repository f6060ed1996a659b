"""How all tests run: with few searches for garbage, and each file in one process."""

import gc
import os

import numpy as np
import pytest
from _pytest.doctest import DoctestModule

# What is imported and collected lasts until the end of the run: searching it for garbage, and
# often searching what tests allocate, takes a fifth of the fast suite's processor time.
gc.disable()

WORKER = os.environ.get("PYTEST_XDIST_WORKER")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Have one of two processes collect from the end: each then finds half the files compiled."""
    report = yield
    if WORKER == "gw1" and isinstance(collector, pytest.Directory):
        report.result.reverse()
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Give all processes the same order."""
    items.sort(key=lambda item: item.path)


def pytest_collection_finish():
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file():
    """Look for no examples in the tests: each file would be collected twice."""
    return [file for file in (yield) if not isinstance(file, DoctestModule)]


def pytest_sessionstart():
    """Have each of two processes compile half of the functions; the other loads them."""
    if WORKER in ("gw0", "gw1"):
        from sparsebp.coding import KnownImage, encode, encode_maps, pursue
        from sparsebp.penalties import L1

        one = np.ones((1, 1))
        if WORKER == "gw1":
            encode_maps(KnownImage.of(np.ones((2, 2, 1)), (1, 1, 1)), one, L1(), 0.1)
        else:
            encode(one, one, L1(), 0.1)
            pursue(one, one)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep neighbors, which share fixtures, in one process; idle ones take over waiting tests."""
    if config.getvalue("dist") != "load":
        return None  # asked for on the command line
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)
