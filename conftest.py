"""Examples in docstrings leave no figures open."""

import sys

import pytest


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Close the figures of an example."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if isinstance(item, pytest.DoctestItem) and pyplot is not None:
        pyplot.close("all")
