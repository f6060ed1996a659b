from functools import cache

import pytest
from cli.toy import SMALL, run, write_photographs
from typer.main import get_command


@pytest.fixture
def photographs(tmp_path):
    """A folder of two small pictures."""
    return write_photographs(tmp_path / "photographs")


@pytest.fixture(scope="session")
def learned(tmp_path_factory):
    """Call `sparsebp learn` on the two pictures, once for all tests with the same options.

    It returns the folder, which tests must leave as it is, and the result.
    """
    folder = tmp_path_factory.mktemp("learned")
    photographs = write_photographs(folder / "photographs")

    @cache
    def learn(*options):
        out = folder / f"out-{len(list(folder.iterdir()))}"
        result = run("learn", "--images", photographs, "--out", out, *SMALL, *options)
        assert result.exit_code == 0, result.output
        return out, result

    return learn


@pytest.fixture(autouse=True, scope="session")
def _small_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sparsebp.cli.learning.PICTURE_DPI", 40)
        yield


@pytest.fixture(autouse=True, scope="session")
def _commands_made_once():
    """Typer's runner makes all commands for each call, which takes longer than most of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command), raising=False)
        yield
