"""Which cases of a behavior the fast suite runs."""

import pytest


def first_fast(cases, n_fast=1):
    """Leave all but the first few cases, which run the same lines, to the slow suite."""
    cases = list(cases)
    return cases[:n_fast] + [pytest.param(case, marks=pytest.mark.slow) for case in cases[n_fast:]]
