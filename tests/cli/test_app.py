import json
import re
import shlex
from html import unescape
from itertools import cycle

import numpy as np
import pytest
from cli.toy import TOY, run
from PIL import Image
from sklearn.pipeline import make_pipeline

from sparsebp import OrthonormalICA, SparseCoding, load_model, read_metadata, save_model
from sparsebp.callbacks import _measured
from sparsebp.cli.choices import PENALTIES, SOLVERS, Model
from sparsebp.cli.derivations import DERIVATIONS, find_derivations
from sparsebp.cli.models import make_estimator
from sparsebp.metrics import (
    coefficient_kurtosis,
    explained_variance,
    gabor_fit,
    near_zero_fraction,
)
from sparsebp.network import delta_table
from sparsebp.penalties import NAMES
from sparsebp.preprocessing import Whitening
from sparsebp.recipe import Recipe

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:SparseCoding. 121 atoms are learned from"),
]


@pytest.mark.parametrize(
    ("model", "n_components"),
    [
        pytest.param("sparse-coding", (16,), marks=pytest.mark.slow),
        pytest.param("topographic", (121,), marks=pytest.mark.slow),
        ("rica", range(5, 16)),
        pytest.param("ica", range(5, 16), marks=pytest.mark.slow),
        pytest.param("sparse-filtering", (16,), marks=pytest.mark.slow),
    ],
)
def test_learn_writes_a_model_and_pictures_and_says_what_it_learned(model, n_components, learned):
    out, result = learned("--model", model)
    assert sorted(p.name for p in out.iterdir()) == ["filters.png", "model.npz", "objective.png"]
    components = load_model(out / "model.npz").components_
    assert components.shape[0] in n_components
    assert components.shape[1] == 16
    for word in ("objective", "kurtosis", "median R²", out.name):
        assert word in result.output
    metadata = read_metadata(out / "model.npz")
    assert metadata["n_patches"] == 120
    assert metadata["recipe"]["whiten"] == (model in {"sparse-coding", "topographic"})
    assert metadata["recipe"]["equal_contrast"] == (model == "sparse-filtering")


def test_options_reach_the_estimator(learned):
    options = ["--alpha", "0.7", "--gamma", "0.02", "--epsilon", "0.3", "--penalty", "topographic"]
    options += ["--solver", "exact", "--batch-size", "50", "--n-components", "9", "--seed", "5"]
    out, _ = learned(*options, "--max-iter", "1")
    params = load_model(out / "model.npz").get_params()
    expected = {"alpha": 0.7, "gamma": 0.02, "epsilon": 0.3, "penalty": "topographic"}
    expected |= {"solver": "exact", "batch_size": 50, "n_components": 9, "random_state": 5}
    assert {name: params[name] for name in expected} == expected


@pytest.mark.slow
def test_the_same_seed_learns_the_same(learned):
    folders = learned("--model", "rica")[0], learned("--seed", "0", "--model", "rica")[0]
    np.testing.assert_array_equal(*(load_model(f / "model.npz").components_ for f in folders))


@pytest.mark.slow
def test_the_report_says_how_to_repeat_the_run(tmp_path, photographs, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photographs.rename("my photographs")
    images = ["--images", "my photographs/one.png", "--images", "my photographs/two.png"]
    toy = ["--n-patches", "120", "--patch-size", "2x4", "--max-iter", "3"]
    options = [*toy, *images, "--color", "--model", "rica"]
    result = run("learn", *options, "--out", "there", "--report", "--json")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "there" / "report.html").read_text("utf-8")
    given = shlex.split(unescape(page.split("<pre><code>")[1].split("</code>")[0]))
    assert given[:2] == ["sparsebp", "learn"]
    assert sorted(given[2:]) == sorted(options)
    assert "report.html" in result.output
    assert len(load_model("there/model.npz").components_) == page.count('aria-label="feature ')


@pytest.mark.slow
def test_summary_report_callback_and_metrics_say_the_same(tmp_path, photographs):
    options = ["--images", photographs, *TOY, "--model", "rica"]
    result = run("learn", *options, "--out", tmp_path / "out", "--report", "--json")
    said = json.loads(result.stdout)
    model, metadata = (read(tmp_path / "out" / "model.npz") for read in (load_model, read_metadata))
    recipe = Recipe.from_metadata(metadata)
    samples, _ = recipe.draw(recipe.load(photographs), 120, seed=0)
    codes = model.transform(samples)
    fit = gabor_fit(model.features_, (4, 4))
    expected = {
        "n_components": len(model.components_),
        "kurtosis": coefficient_kurtosis(codes),
        "near_zero": near_zero_fraction(codes),
        "explained_variance": explained_variance(samples, model.inverse_transform(codes)),
        "gabor_r2": np.median(fit.r_squared),
        "gabor_like": np.mean(fit.r_squared > 0.8),
    }
    assert {name: said[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    numbers = dict(re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", page))
    assert numbers["of the coefficients near zero"] == f"{said['near_zero']:.0%}"
    assert numbers["of the patches&#39; variance explained"] == f"{said['explained_variance']:.0%}"
    assert numbers["kurtosis of the coefficients; a Gaussian has 3"] == f"{said['kurtosis']:.1f}"
    assert numbers["median R² of the best Gabor functions"] == f"{said['gabor_r2']:.2f}"
    assert _measured(model, samples).sparsity == pytest.approx(said["near_zero"], abs=1e-3)


def test_more_directions_are_kept_of_colors():
    for model in (Model.ICA, Model.RICA):
        kept = [make_estimator(model, 8, color=color).whiten for color in (False, True)]
        assert kept == [0.99, 0.999]
    assert not hasattr(make_estimator(Model.SPARSE_CODING, 8, color=True), "whiten")


def test_a_size_of_groups_is_for_subspaces():
    estimator = make_estimator(Model.ICA, 8, penalty="subspace", group_size=2, epsilon=0.1)
    assert (estimator.penalty, estimator.group_size, estimator.epsilon) == ("subspace", 2, 0.1)
    for options in ((), ("--penalty", "topographic"), ("--model", "topographic")):
        result = run("learn", *options, "--group-size", "2")
        assert result.exit_code != 0
        assert "--group-size does not apply to --model" in " ".join(result.output.split())


def test_an_epsilon_that_a_penalty_does_not_have_is_refused():
    result = run("learn", "--penalty", "l1", "--epsilon", "0.1")
    assert result.exit_code == 2
    assert "--epsilon does not apply to --model sparse-coding --penalty l1" in result.output


def test_help_and_completion_name_what_there_is():
    assert set(PENALTIES) == set(NAMES)
    for solver in SOLVERS:
        kind = OrthonormalICA(solver=solver) if solver == "manifold" else SparseCoding()
        kind.set_params(solver=solver, **({"gamma": 0.1} if solver == "exact" else {}))
        kind.set_params(max_iter=1, tol=1.0).fit(np.random.default_rng(0).normal(size=(40, 4)))
    options = {"solver": "exact", "n_nonzero": 2, "max_iter": 1, "tol": 1.0}
    SparseCoding(**options).fit(np.random.default_rng(0).normal(size=(40, 4)))


@pytest.mark.slow
def test_an_interrupt_while_the_report_is_made_says_what_is_saved(
    tmp_path, photographs, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("sparsebp.cli.learning.Measurements.of", interrupted)
    result = run("learn", "--images", photographs, "--out", tmp_path / "out", *TOY, "--report")
    assert result.exit_code == 130
    assert "model.npz is saved in" in " ".join(result.output.split())
    assert load_model(tmp_path / "out" / "model.npz").n_features_in_ == 16


@pytest.mark.slow
def test_without_out_every_run_gets_a_folder_of_its_own(tmp_path, photographs, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "learned-rica-1").mkdir()
    result = run("learn", "--images", photographs, *TOY, "--model", "rica")
    assert "learned-rica-2" in result.output
    assert (tmp_path / "learned-rica-2" / "model.npz").exists()
    assert not list((tmp_path / "learned-rica-1").iterdir())


@pytest.mark.parametrize("method", ["Recipe.draw", "SparseCoding.fit"])
def test_an_interrupt_before_anything_was_learned_says_so(
    method, tmp_path, photographs, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"sparsebp.{method}", interrupted)
    result = run("learn", "--images", photographs, "--out", tmp_path / "out", *TOY)
    assert result.exit_code == 130
    assert "Interrupted before anything was learned" in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_interrupt_saves_the_best_so_far(tmp_path, photographs, monkeypatch):
    fit = SparseCoding.fit

    def interrupted(model, X):
        told = model.callback

        def callback(iteration, value):
            told(iteration, value)
            if iteration == 2:
                raise KeyboardInterrupt

        return fit(model.set_params(callback=callback), X)

    monkeypatch.setattr(SparseCoding, "fit", interrupted)
    out = tmp_path / "out"
    result = run("learn", "--images", photographs, "--out", out, *TOY)
    assert result.exit_code == 130
    assert "Interrupted; the best model so far is saved" in " ".join(result.output.split())
    assert load_model(out / "model.npz").status_ == "interrupted"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "nowhere"], "cannot be found"),
        (["--patch-size", "500"], "500"),
        (["--alpha", "-1"], "alpha must be a finite number ≥ 0, got -1.0"),
        (["--alpha", "nan"], "alpha must be a finite number ≥ 0, got nan"),
        (["--penalty", "l0"], "penalty must be one of"),
        (["--model", "ica", "--alpha", "1"], "--alpha does not apply to --model ica"),
        (["--model", "ica", "--n-components", "200"], "cannot outnumber"),
        (["--model", "topographic", "--n-nonzero", "5"], "--n-nonzero does not apply to --model"),
        (["--model", "rica", "--error", "5"], "--error does not apply to --model rica"),
        (["--n-nonzero", "5", "--alpha", "2"], "--alpha does not apply to --n-nonzero, which"),
        (["--error", "5", "--epsilon", "2"], "--epsilon does not apply to --error, which"),
        (["--n-nonzero", "5", "--penalty", "l1"], "--penalty does not apply to --n-nonzero"),
        (["--n-nonzero", "5", "--gamma", "1"], "--gamma does not apply to --n-nonzero"),
    ],
)
def test_bad_input_gets_a_sentence(arguments, message, tmp_path):
    result = run("learn", "--out", tmp_path / "out", "--n-patches", "100", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_a_folder_that_cannot_be_written_is_found_before_learning(tmp_path, photographs):
    (tmp_path / "file").touch()
    result = run("learn", "--images", photographs, "--out", tmp_path / "file" / "out", *TOY)
    assert result.exit_code == 2
    assert "is a file; give another folder" in " ".join(result.output.split())


@pytest.mark.slow
def test_show_draws_a_saved_model(tmp_path, learned):
    out, _ = learned("--color", "--n-components", "6")
    model = tmp_path / "model.npz"
    model.write_bytes((out / "model.npz").read_bytes())
    assert load_model(model).components_.shape == (6, 48)
    result = run("show", model)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "model-filters.png").stat().st_size > 1000
    assert "SparseCoding" in result.output
    assert "patch_shape: 4×4×3\n" in result.output
    assert "recipe: patch_size 4, color True," in result.output
    result = run("show", out / "objective.png")
    assert result.exit_code == 2
    assert "not a model saved by sparsebp" in " ".join(result.output.split())


def test_encode_writes_the_codes_that_transform_gives(tmp_path, photographs, learned):
    out, _ = learned("--model", "rica")
    n_components = len(load_model(out / "model.npz").components_)
    codes_file = tmp_path / "codes.npz"
    result = run("encode", out / "model.npz", "--images", photographs, "--out", codes_file)
    assert result.exit_code == 0, result.output
    with np.load(codes_file) as codes:
        assert sorted(codes.files) == ["one.png", "two.png"]
        assert codes["one.png"].shape == (10, 12, n_components)
        before = codes["two.png"]
    (photographs / "one.png").unlink()
    run("encode", out / "model.npz", "--images", photographs, "--out", codes_file, "--stride", "2")
    with np.load(codes_file) as codes:
        assert codes.files == ["two.png"]
        assert codes["two.png"].shape == (19, 24, n_components)
        np.testing.assert_allclose(codes["two.png"][::2, ::2], before, atol=1e-6)


def test_a_basis_of_the_package_is_shown_and_encodes_by_its_name(
    tmp_path, photographs, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert run("show", "rica-12x12").exit_code == 0
    assert (tmp_path / "rica-12x12-filters.png").stat().st_size > 1000
    assert run("encode", "rica-12x12", "--images", photographs).exit_code == 0
    with np.load("codes.npz") as codes:
        assert codes["one.png"].shape == (3, 4, 64)
    (tmp_path / "rica-12x12").write_text("a file of that name goes first")
    assert "not a model saved by sparsebp" in " ".join(run("show", "rica-12x12").output.split())
    result = run("show", "rica-13x13")
    assert result.exit_code == 2
    assert "one of dead-leaves-10x10" in " ".join(result.output.split())


def test_encode_refuses_a_model_without_its_recipe(tmp_path, photographs):
    save_model(SparseCoding(4, max_iter=1).fit(np.eye(16)), tmp_path / "model.npz")
    result = run("encode", tmp_path / "model.npz", "--images", photographs)
    assert result.exit_code == 2
    assert "without its recipe" in " ".join(result.output.split())


def test_derive_prints_a_table():
    for name, style in zip(DERIVATIONS, cycle(["text", "markdown", "latex"]), strict=False):
        result = run("derive", name, "--style", style)
        assert result.output.rstrip("\n") == delta_table(DERIVATIONS[name][1], style)


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("rica", ["ica-reconstruction", "ica"]),
        ("ReconstructionICA", ["ica-reconstruction", "ica"]),
        ("ex1", ["reconstruction", "weight-decay"]),
        ("Example 2", ["topographic"]),
        ("ex3", ["ica-reconstruction"]),
        ("smooth_l1", ["smooth-l1"]),
        ("sparse-coding", ["reconstruction", "smooth-l1"]),
    ],
)
def test_derive_finds_examples_models_and_penalties(name, terms):
    output = run("derive", name).output
    position = 0
    for term in terms:
        position = output.index(delta_table(DERIVATIONS[term][1]), position)
    assert (f"{terms[0]}: " in output) == (len(terms) > 1)


def test_derive_knows_every_model_and_penalty():
    for name in (*(model.value for model in Model), *PENALTIES):
        assert find_derivations(name)


def test_derive_suggests_what_is_near():
    assert "did you mean topographic" in run("derive", "topografic").output
    assert "`sparsebp derive` lists all" in run("derive", "zzz").output


def test_derive_lists_what_there_is():
    assert all(name in run("derive").output for name in DERIVATIONS)
    result = run("derive", "everything")
    assert result.exit_code == 2
    assert "There is no function 'everything'" in result.output


def test_a_folder_with_a_model_is_not_written_over(photographs, learned):
    out, _ = learned("--model", "rica")
    before = (out / "model.npz").read_bytes()
    result = run("learn", "--images", photographs, "--out", out, *TOY, "--seed", "4")
    assert result.exit_code == 2
    assert "already contains a model" in " ".join(result.output.split())
    assert (out / "model.npz").read_bytes() == before


def test_nothing_is_left_behind_by_what_was_refused(tmp_path, photographs):
    out = tmp_path / "out"
    assert run("learn", "--out", out, "--images", photographs, *TOY, "--alpha", -1).exit_code == 2
    assert not out.exists()


@pytest.mark.slow
def test_images_that_yield_no_patch_are_named_and_skipped(tmp_path, photographs):
    (photographs / "notes.png").write_text("no image")
    Image.new("L", (3, 3)).save(photographs / "tiny.png")
    Image.new("L", (30, 30), 9).save(photographs / "flat.png")
    out = tmp_path / "out"
    with (
        pytest.warns(UserWarning, match="notes.png was skipped"),
        pytest.warns(UserWarning, match=r"Skipped \(smaller than a patch.*\): tiny.png"),
        pytest.warns(UserWarning, match=r"Skipped \(constant\): flat.png"),
    ):
        run("learn", "--images", photographs, "--out", out, *TOY, "--model", "rica")
    result = run("learn", "--images", photographs / "flat.png", *TOY)
    assert result.exit_code == 2
    assert "No image can be used: flat.png (constant)" in result.output
    for name in ("notes.png", "flat.png"):
        (photographs / name).unlink()
    with pytest.warns(UserWarning, match="tiny"):
        run("encode", out / "model.npz", "--images", photographs, "--out", tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as codes:
        assert sorted(codes.files) == ["one.png", "two.png"]


@pytest.mark.slow
def test_images_may_be_files_as_a_shell_expands_a_pattern(tmp_path, photographs):
    files = [photographs / name for name in ("two.png", "one.png")]
    out = tmp_path / "out"
    options = ["--images", *files, "--out", out, *TOY, "--model", "rica"]
    assert run("learn", *options).exit_code == 0
    assert read_metadata(out / "model.npz")["images"] == ", ".join(map(str, files))
    codes_file = tmp_path / "c.npz"
    for images in (files, [files[0], "--images", files[1]]):
        run("encode", out / "model.npz", "--images", *images, "--out", codes_file)
        with np.load(codes_file) as codes:
            assert codes.files == ["two.png", "one.png"]
        codes_file.unlink()
    result = run("learn", files[0])
    assert result.exit_code == 2
    assert "name images with --images" in " ".join(result.output.split())


@pytest.mark.slow
def test_white_images_are_left_as_they_are_on_request(tmp_path, photographs):
    from sparsebp.datasets import load_photographs
    from sparsebp.preprocessing import whiten_images

    white = whiten_images(load_photographs(photographs))
    np.save(tmp_path / "white.npy", np.stack(white))
    given = ["--images", tmp_path / "white.npy", *TOY, "--max-iter", "1", "--n-components", "4"]
    with pytest.warns(UserWarning, match="look already white.*--no-whiten"):
        run("learn", *given, "--out", tmp_path / "a")
    run("learn", *given, "--out", tmp_path / "b", "--no-whiten")
    recipe = read_metadata(tmp_path / "b" / "model.npz")["recipe"]
    assert not recipe["whiten"]
    assert recipe["scale"] == pytest.approx(1, abs=0.3)


@pytest.mark.slow
def test_patches_need_not_be_squares(tmp_path, photographs):
    sized = [*TOY, "--patch-size", "2x8", "--model", "rica", "--n-components", "16"]
    out = tmp_path / "out"
    result = run("learn", "--images", photographs, "--out", out, *sized)
    assert result.exit_code == 0, result.output
    assert "120 patches of 2×8" in result.output
    assert load_model(out / "model.npz").patch_shape == (2, 8)
    run("encode", out / "model.npz", "--images", photographs, "--out", tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as codes:
        assert codes["one.png"].shape == (20, 6, 16)
    assert run("show", out / "model.npz").exit_code == 0
    assert run("show", out / "model.npz", "--patch-shape", "4x2x2").exit_code == 0
    assert run("show", out / "model.npz", "--patch-shape", "3x5").exit_code == 2
    result = run("learn", "--patch-size", "4 by 8")
    assert result.exit_code == 2
    assert "give 8 or 4x16" in " ".join(result.output.replace("│", "").split())


def test_the_topographic_model_keeps_its_penalty(tmp_path):
    result = run("learn", "--out", tmp_path / "o", "--model", "topographic", "--penalty", "l1")
    assert result.exit_code == 2
    assert "--penalty does not apply to --model topographic" in " ".join(result.output.split())


def test_the_version_is_printed():
    import sparsebp

    assert run("--version").output.strip() == sparsebp.__version__


@pytest.mark.slow
def test_encode_prepares_samples_as_they_were_learned_from(tmp_path, photographs, learned):
    from sparsebp.datasets import load_named_photographs
    from sparsebp.preprocessing import remove_mean, whiten_images

    out, _ = learned()
    run("encode", out / "model.npz", "--images", photographs, "--out", tmp_path / "codes.npz")
    image = load_named_photographs(photographs, dtype=np.float32)["one.png"]
    patch = whiten_images([image], unit_variance=False)[0][4:8, 8:12].reshape(1, -1).astype(float)
    scale = read_metadata(out / "model.npz")["recipe"]["scale"]
    assert scale > 2
    expected = load_model(out / "model.npz").transform(scale * remove_mean(patch))
    with np.load(tmp_path / "codes.npz") as codes:
        np.testing.assert_allclose(codes["one.png"][1, 2], expected[0], atol=1e-6)


def test_show_draws_a_pipeline(tmp_path):
    X = np.random.default_rng(0).laplace(size=(300, 16))
    ica = OrthonormalICA(4, whiten=False, tol=1e-2, random_state=0)
    save_model(make_pipeline(Whitening(), ica).fit(X), tmp_path / "model.npz")
    result = run("show", tmp_path / "model.npz")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "model-filters.png").stat().st_size > 1000


@pytest.mark.slow
def test_many_patches_are_drawn_while_learning(monkeypatch, tmp_path, photographs):
    monkeypatch.setattr("sparsebp.cli.learning.IN_MEMORY", 0)
    options = ["--images", photographs, "--out", tmp_path / "out", *TOY, "--batch-size", "20"]
    result = run("learn", *options, "--report")
    assert result.exit_code == 0, result.output
    said = " ".join(result.stderr.split())
    assert "120 patches of 4×4 from 2 photographs, drawn while learning" in said
    assert "Only 60 of them are used, in 3 batches of 20; add --max-iter 6 to use all" in said
    model = tmp_path / "out" / "model.npz"
    recipe = Recipe.from_metadata(read_metadata(model))
    assert recipe.scale > 0
    assert load_model(model).components_.shape == (5, 16)
    assert (tmp_path / "out" / "report.html").exists()
    codes = tmp_path / "codes.npz"
    assert run("encode", model, "--images", photographs, "--out", codes).exit_code == 0
    assert np.load(codes)["one.png"].shape == (10, 12, 5)
