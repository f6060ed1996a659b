import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA

from sparsebp import OrthonormalICA
from sparsebp.displays import ComparisonDisplay
from sparsebp.metrics import compare_dictionaries


def comparison(**options):
    first, second = np.random.default_rng(0).normal(size=(2, 12, 5))
    return compare_dictionaries(first, second, random_state=0, **options)


def test_histograms_are_of_the_matched_atoms_and_of_chance():
    found = comparison(threshold=0.8)
    display = ComparisonDisplay(found)
    assert display.plot() is display
    patches = display.ax_.patches
    for patch, values in zip(patches, (found.similarity, found.chance_similarity), strict=True):
        shares, edges, _ = patch.get_data()
        assert (edges[0], edges[-1]) == (0, 1)
        assert shares.sum() == pytest.approx(1)
        for share, low, high in zip(shares[:-1], edges, edges[1:], strict=False):
            assert share == np.mean((values >= low) & (values < high))
    assert display.ax_.lines[0].get_xdata()[0] == 0.8
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    shares = [100 * found.share, 100 * found.chance_share]
    assert texts == [
        f"{name}: {share:.0f} % above 0.8"
        for name, share in zip(("Matched", "Chance"), shares, strict=True)
    ]


def test_estimators_are_compared_by_their_features():
    X = np.random.default_rng(0).laplace(size=(400, 4)) * [1, 2, 3, 4]
    first, second = OrthonormalICA(random_state=0).fit(X), PCA(4).fit(X)
    display = ComparisonDisplay.from_estimators(first, second, threshold=0.7, random_state=0)
    expected = compare_dictionaries(first.features_, second.components_, random_state=0)
    np.testing.assert_array_equal(display.comparison.similarity, expected.similarity)
    assert display.comparison.threshold == 0.7
    with pytest.raises(AttributeError, match="PCA is not fitted"):
        ComparisonDisplay.from_estimators(first, PCA())


def test_options_are_those_of_stairs():
    figure, ax = plt.subplots()
    display = ComparisonDisplay(comparison()).plot(ax, label="of two halves", color="red")
    assert display.figure_ is figure
    assert ax.get_legend().get_texts()[0].get_text() == "of two halves"


def test_what_is_no_comparison_is_refused():
    with pytest.raises(TypeError, match=r"comparison must be what sparsebp.* returned, got 3"):
        ComparisonDisplay(3)
