import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sparsebp import OrthonormalICA, ReconstructionICA
from sparsebp.displays import SpectrumDisplay
from sparsebp.preprocessing import Whitening


def samples(n_features=12, rank=None):
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(rank or n_features, n_features))
    return rng.normal(size=(200, len(factor))) * 0.7 ** np.arange(len(factor)) @ factor + 3


def marks(display):
    """Where the vertical lines stand, and what the legend says."""
    places = [[line.get_xdata()[0] for line in ax.lines[1:]] for ax in display.axes_]
    assert places[0] == places[1]
    return places[0], [text.get_text() for text in display.axes_[1].get_legend().get_texts()]


def curves(display):
    return [ax.lines[0].get_xydata().T for ax in display.axes_]


def test_eigenvalues_are_those_of_the_covariance():
    X = samples()
    expected = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    display = SpectrumDisplay.from_samples(X)
    np.testing.assert_allclose(display.eigenvalues, expected)
    assert display.plot() is display
    (index, values), (_, fractions) = curves(display)
    np.testing.assert_array_equal(index, np.arange(1, 13))
    np.testing.assert_allclose(values, expected)
    np.testing.assert_allclose(fractions, np.cumsum(expected) / expected.sum())
    assert display.axes_[0].get_yscale() == "log"


def test_directions_without_variance_are_no_eigenvalues():
    assert len(SpectrumDisplay.from_samples(samples(rank=5)).eigenvalues) == 5


@pytest.mark.parametrize("fractions", [(0.9, 0.99), (0.5,), (0.3, 0.6, 0.999999)])
def test_marks_are_where_whitening_would_cut(fractions):
    X = samples()
    display = SpectrumDisplay.from_samples(X).plot(fractions=fractions)
    kept = [Whitening(n_components=share).fit(X).n_components_ for share in fractions]
    places, texts = marks(display)
    assert places == kept
    assert texts == [f"{n} hold {100 * s:g} %" for n, s in zip(kept, fractions, strict=True)]
    assert len({line.get_linestyle() for line in display.axes_[0].lines[1:]}) == len(fractions)


def test_what_a_whitening_keeps_is_marked():
    X = samples()
    whitening = Whitening(n_components=4).fit(X)
    display = SpectrumDisplay.from_estimator(whitening, X).plot()
    values = np.linalg.eigvalsh(np.cov(X.T))[::-1]
    expected = f"4 kept hold {100 * values[:4].sum() / values.sum():.3g} %"
    assert marks(display) == ([4], [expected])
    assert len(display.eigenvalues) == 12
    np.testing.assert_allclose(display.eigenvalues[:4], whitening.eigenvalues_)


@pytest.mark.filterwarnings("ignore:.*X is not white")
@pytest.mark.filterwarnings("ignore:.*(is|are) silent")
@pytest.mark.filterwarnings("ignore:.*is a parabola")
@pytest.mark.parametrize("kind", [OrthonormalICA, ReconstructionICA])
def test_an_ica_that_whitens_has_kept_directions_too(kind):
    X = samples()
    model = kind(2, whiten=0.9, directions="all", tol=1e-2, random_state=0).fit(X)
    display = SpectrumDisplay.from_estimator(model, X)
    assert display.n_components == Whitening(n_components=0.9).fit(X).n_components_
    largest = kind(2, whiten=True, tol=1e-2, random_state=0).fit(X)
    assert SpectrumDisplay.from_estimator(largest, X).n_components == 2
    for whiten in (True, False):
        options = {"whiten": whiten, "directions": "all", "signs": None}
        whole = kind(2, tol=1e-2, random_state=0, **options).fit(X)
        assert SpectrumDisplay.from_estimator(whole, X).n_components is None
    with pytest.raises(ValueError, match="keeps no eigenvalues; give X"):
        SpectrumDisplay.from_estimator(model)


def test_nearly_all_is_not_called_all():
    display = SpectrumDisplay([1.0, 1e-7], n_components=1).plot()
    assert marks(display)[1] == ["1 kept hold over 99.9 %"]


def test_a_whitening_that_keeps_all_needs_no_samples():
    X = samples()
    display = SpectrumDisplay.from_estimator(Whitening().fit(X)).plot()
    np.testing.assert_allclose(
        display.eigenvalues, SpectrumDisplay.from_samples(X).eigenvalues, rtol=1e-9
    )
    assert [text[-6:] for text in marks(display)[1]] == ["d 90 %", "d 99 %"]
    with pytest.raises(ValueError, match="Whitening keeps 4 of 12 eigenvalues"):
        SpectrumDisplay.from_estimator(Whitening(n_components=4).fit(X))


def test_in_pipelines_the_earlier_steps_are_taken():
    X = samples()
    model = make_pipeline(StandardScaler(), "passthrough", Whitening(n_components=3), PCA(2))
    model.fit(X)
    display = SpectrumDisplay.from_estimator(model, X)
    expected = np.linalg.eigvalsh(np.corrcoef(X.T))[::-1]
    np.testing.assert_allclose(display.eigenvalues, expected)
    assert display.n_components == 3


def test_what_is_no_fitted_whitening_is_refused():
    with pytest.raises(AttributeError, match=r"Whitening is not fitted \(it has no eigenvalues_\)"):
        SpectrumDisplay.from_estimator(Whitening(), samples())
    with pytest.raises(AttributeError, match="no eigenvalues_; this display is for"):
        SpectrumDisplay.from_estimator(PCA(2).fit(samples()), samples())
    with pytest.raises(AttributeError, match="Pipeline has no eigenvalues_"):
        SpectrumDisplay.from_estimator(make_pipeline(PCA(2)).fit(samples()), samples())


@pytest.mark.slow
def test_the_legend_stands_below_the_marks():
    display = SpectrumDisplay.from_samples(samples()).plot(fractions=(0.9, 0.99, 0.999))
    display.figure_.draw_without_rendering()
    ax = display.axes_[1]
    legend = ax.get_legend().get_window_extent()
    for line in ax.lines[1:]:
        assert line.get_window_extent().y0 >= legend.y1 - 2


def test_eigenvalues_in_any_order_and_of_any_size_can_be_drawn():
    display = SpectrumDisplay([1e-300, 0, 4e-300]).plot()
    np.testing.assert_allclose(display.cumulative, [0.8, 1, 1])
    display.figure_.draw_without_rendering()
    _, values = curves(display)[0]
    np.testing.assert_array_equal(np.isnan(values), [False, False, True])
    huge = SpectrumDisplay([1e308, 1e308, 1e308])
    np.testing.assert_allclose(huge.cumulative, [1 / 3, 2 / 3, 1])


def test_without_marks_there_is_no_legend():
    assert SpectrumDisplay([3, 2, 1]).plot(fractions=[]).axes_[1].get_legend() is None


def test_plot_draws_into_given_axes_in_their_colors():
    with plt.style.context("dark_background"):
        figure, axes = plt.subplots(2, 1)
        display = SpectrumDisplay([3, 2, 1]).plot(axes)
    assert display.axes_ == list(axes)
    assert display.figure_ is figure
    assert axes[0].lines[1].get_color() == "white"


@pytest.mark.parametrize(
    ("values", "n_components", "error", "match"),
    [
        ([1.0, -0.5], None, ValueError, "eigenvalues lie between -0.5 and 1"),
        ([0.0, 0.0], None, ValueError, "eigenvalues lie between 0 and 0"),
        (
            [],
            None,
            ValueError,
            r"eigenvalues must be a sequence of at least one number, got shape \(0,\)",
        ),
        ([2.0, 1.0], 3, ValueError, "n_components=3 but there are 2 eigenvalues"),
        ([2.0, 1.0], 1.5, TypeError, "n_components must be an integer ≥ 1, got 1.5"),
    ],
)
def test_refusals_say_what_came(values, n_components, error, match):
    with pytest.raises(error, match=match):
        SpectrumDisplay(values, n_components=n_components)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        (
            {"fractions": [1.0]},
            ValueError,
            r"fractions must be a finite number > 0 and < 1, got 1\.0",
        ),
        ({"fractions": ["a"]}, TypeError, "fractions must be a finite number.*, got 'a'"),
        ({"fractions": 0.9}, TypeError, "fractions must be a sequence"),
        ({"fractions": [0.1, 0.2, 0.3, 0.4]}, ValueError, "fractions must be at most 3 numbers"),
        (
            {"ax": "a"},
            ValueError,
            "ax must be one matplotlib Axes of a grid of subplots, or 2, .* got 'a'",
        ),
    ],
)
def test_refusals_of_plot_say_what_came(options, error, match):
    with pytest.raises(error, match=match):
        SpectrumDisplay([3, 2, 1]).plot(**options)
    assert not plt.get_fignums()


def test_samples_without_variance_are_refused_with_a_message():
    with pytest.raises(ValueError, match="all 5 samples are equal"):
        SpectrumDisplay.from_samples(np.ones((5, 3)))
    with pytest.raises(ValueError, match="X must be finite, got NaN or infinity"):
        SpectrumDisplay.from_samples([[np.nan]])
