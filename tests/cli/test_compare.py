import csv
import json

import numpy as np
import pytest
from cli.toy import run

from sparsebp import SparseCoding, load_model, read_metadata, save_model
from sparsebp.metrics import coefficient_kurtosis
from sparsebp.recipe import Recipe

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def models(learned):
    filtering = "--model", "sparse-filtering", "--patch-size", "5"
    return [learned(*options)[0] / "model.npz" for options in ((), filtering)]


@pytest.mark.slow
def test_models_of_other_sizes_and_kinds_are_compared_on_the_same_images(
    models, tmp_path, photographs
):
    table = tmp_path / "table.csv"
    options = ["--images", photographs, "--n-patches", 50, "--seed", 3]
    result = run("compare", *models, *options, "--csv", table)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == [str(file) for file in models]
    assert lines[1].split() == ["method", "SparseCoding", "SparseFiltering"]
    assert lines[2].split()[-2:] == ["4×4", "5×5"]
    explained = next(line for line in lines if line.startswith("variance explained"))
    assert explained.endswith("–")  # sparse filtering reconstructs nothing
    assert lines[-1] == f"saved {table}"
    said = json.loads(run("compare", *models, *options, "--json").stdout)
    with table.open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert first["kurtosis"] == str(said["models"][0]["kurtosis"])
    assert (second["explained_variance"], second["n_components"]) == ("", "25")
    recipe = Recipe.from_metadata(read_metadata(models[0]))
    samples, _ = recipe.draw(recipe.load(photographs), 50, seed=3)
    kurtosis = coefficient_kurtosis(load_model(models[0]).transform(samples))
    assert said["models"][0]["kurtosis"] == pytest.approx(kurtosis)


@pytest.mark.slow
def test_a_model_without_its_recipe_is_measured_by_its_features(tmp_path, photographs):
    model = SparseCoding(4, max_iter=1, tol=1.0).fit(np.eye(16))
    save_model(model, tmp_path / "model.npz")
    options = ["--images", photographs, "--n-patches", 20]
    result = run("compare", tmp_path / "model.npz", "sparse-coding-8x8", *options)
    assert result.exit_code == 0, result.output
    assert "without its recipe" in " ".join(result.stderr.split())
    kurtosis = next(line for line in result.stdout.splitlines() if line.startswith("kurtosis"))
    assert kurtosis.split()[3] == "–"
    assert kurtosis.split()[4] != "–"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rica-12x12", "rica-12x12"], "rica-12x12 is given twice"),
        (["rica-13x13"], "rica-13x13 is neither a file"),
        (["rica-12x12", "--images", "nowhere"], "nowhere"),
        (["rica-12x12", "--n-patches", "1"], "--n-patches"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_compared_gets_a_sentence(arguments, message):
    result = run("compare", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
