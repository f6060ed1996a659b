"""``sparsebp learn --scheduler``: samples on the workers of a dask cluster."""

import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from sparsebp import PatchStream
from sparsebp.cli import clusters
from sparsebp.cli.app import app
from sparsebp.cli.output import Output
from sparsebp.datasets import load_sample_photographs
from sparsebp.saving import load_model

distributed = pytest.importorskip("distributed")
QUIET = Output(quiet=True)


def test_without_a_scheduler_samples_stay():
    samples = np.ones((3, 2))
    with clusters.on_cluster(samples, None, QUIET) as same:
        assert same is samples


@pytest.mark.filterwarnings("ignore")
def test_samples_are_spread_over_the_cluster(capsys):
    stream = PatchStream(load_sample_photographs()[:1], 4, 100, random_state=0)
    with distributed.LocalCluster(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        for samples in (np.arange(20000.0).reshape(10000, 2), stream):
            with clusters.on_cluster(samples, cluster.scheduler_address, Output()) as spread:
                assert spread.shape == samples.shape
                assert all(size % 1024 == 0 for size in spread.chunks[0][:-1])
                np.testing.assert_array_equal(spread.compute(), samples[:])
    assert "learning on 2 dask workers" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore")
def test_unusable_schedulers_are_refused(monkeypatch):
    monkeypatch.setattr(clusters, "_PATIENCE", 0.1)
    for address in ("tcp://127.0.0.1:9", "nowhere://x"):
        with (
            pytest.raises(ValueError, match="no dask scheduler answers"),
            clusters.on_cluster(np.ones((3, 2)), address, QUIET),
        ):
            pass
    monkeypatch.setitem(sys.modules, "dask", None)
    with (
        pytest.raises(ValueError, match="pip install"),
        clusters.on_cluster(np.ones((3, 2)), "local", QUIET),
    ):
        pass


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_local_cluster_learns_the_same(tmp_path):
    found = []
    for number, more in enumerate(([], ["--scheduler", "local"])):
        out = tmp_path / str(number)
        words = ["learn", "--model", "ica", "--n-patches", "5000", "--max-iter", "3", "--quiet"]
        result = CliRunner().invoke(app, [*words, "--out", str(out), *more])
        assert result.exit_code == 0, result.output
        found.append(load_model(out / "model.npz").components_)
    np.testing.assert_array_equal(found[1], found[0])
