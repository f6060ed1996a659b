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
    path = tmp_path_factory.mktemp("report") / "report.html"
    command = "sparsebp learn --images 'my <photographs>'"
    write_report(path, *topographic, title="A & B", command=command, run={"seed": 0})
    return path
