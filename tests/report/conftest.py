import numpy as np
import pytest

from sparsebp import SparseCoding
from sparsebp.report import write_report


@pytest.fixture(scope="session")
def topographic():
    samples = np.random.default_rng(0).laplace(size=(300, 16))
    model = SparseCoding(9, penalty="topographic", tol=1.0, random_state=0)
    return model.fit(samples), samples


@pytest.fixture(scope="session")
def page(topographic, tmp_path_factory):
    """A page with all that a page can have."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    command = "sparsebp learn --images 'my <photographs>'"
    images = [np.eye(9) - 0.5, np.zeros((700, 9, 3)), *8 * [np.eye(4)]]
    options = {"command": command, "run": {"seed": 0}, "images": images}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARSEBP_DOCS", "https://example.org/docs")
        write_report(path, *topographic, title="A & B", **options)
    return path
