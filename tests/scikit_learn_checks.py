"""scikit-learn's checks of one estimator in one test, which takes a third of a test for each."""

from contextlib import suppress
from unittest import SkipTest

from sklearn.utils.estimator_checks import estimator_checks_generator


def run_checks(estimator, run=lambda check, estimator: check(estimator), **options):
    """Run all checks but those with PyTorch, whose import takes seconds.

    `check_estimator`, which the slow suite calls for variants, runs these, too.
    """
    for each, check in estimator_checks_generator(estimator, **options):
        if "torch" not in str(getattr(check, "keywords", "")):
            with suppress(SkipTest):
                run(check, each)
