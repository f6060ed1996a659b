"""How all tests run: with few searches for garbage, and each file in one process."""

import gc

import pytest

# What is imported and collected lasts until the end of the run: searching it for garbage, and
# often searching what tests allocate, takes a fifth of the fast suite's processor time.
gc.disable()


def pytest_collection_finish():
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep neighbors, which share fixtures, in one process; idle ones take over waiting tests."""
    if config.getvalue("dist") != "load":
        return None  # asked for on the command line
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)
