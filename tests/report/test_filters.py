from base64 import b64decode
from io import BytesIO
from types import SimpleNamespace

import numpy as np
from PIL import Image

from sparsebp.displays import BasisDisplay
from sparsebp.metrics import gabor_fit
from sparsebp.report import Measurements
from sparsebp.report.filters import describe_filters


def described(features, codes, shape):
    basis, fit = BasisDisplay(features, shape), gabor_fit(features, shape)
    model = SimpleNamespace(silent_components=lambda codes: np.flatnonzero(~codes.any(axis=0)))
    return describe_filters(Measurements(model, np.empty(0), basis, codes, fit))


def test_usage_counts_patches_and_what_atoms_add():
    codes = np.zeros((100, 3))
    codes[:50, 0], codes[:10, 1] = 1.0, -1.0
    features = np.eye(3, 16) * np.array([[1.0], [2.0], [1.0]])
    facts = [dict(f.facts) for f in described(features, codes, (4, 4))]
    assert [f["used in"] for f in facts] == ["50% of patches", "10% of patches", "0% of patches"]
    shares = [f["share of the signal"] for f in facts]
    assert shares == [f"{50 / 90:.1%}", f"{40 / 90:.1%}", "0.0%"]
    assert facts[0]["kurtosis"] == "1.0"


def test_what_is_below_a_tenth_of_the_deviation_is_not_used():
    codes = np.array([[10.0, 1.0], [-10.0, 0.5], [10.0, -1.0], [-10.0, -0.5]])  # 7.1 in deviation
    facts = [dict(f.facts) for f in described(np.eye(2, 16), codes, (4, 4))]
    assert [f["used in"] for f in facts] == ["100% of patches", "50% of patches"]


def test_a_picture_is_the_filter_with_zero_in_the_middle():
    features = np.array([[0.0, 2.0, -2.0, 1.0, 0.0, 0.0]])
    (one,) = described(features, np.ones((2, 1)), (2, 3))
    kind, data = one.picture.split(",")
    image = np.asarray(Image.open(BytesIO(b64decode(data))))
    assert kind == "data:image/png;base64"
    np.testing.assert_array_equal(image, [[128, 255, 0], [191, 128, 128]])


def test_facts_are_those_of_the_fit():
    row, column = np.mgrid[:8, :8]
    envelope = np.exp(-((row - 3) ** 2 + (column - 4) ** 2) / 8)
    feature = (envelope * np.cos(np.pi / 2 * (column - 4))).reshape(1, -1)
    (one,) = described(feature, np.ones((2, 1)), (8, 8))
    facts = dict(one.facts)
    assert facts["R² of Gabor"] == "1.00"
    assert facts["cycles per pixel"] == "0.25"
    assert facts["bandwidth"] == "1.1 octaves"
    assert facts["row, column"] == "3.0, 4.0"
    assert facts["envelope"] == "2.0 × 2.0 px"
    assert facts["bars at"] == "90°"
    assert facts["well determined"] == "yes"
    (blob,) = described(envelope.reshape(1, -1), np.ones((2, 1)), (8, 8))
    assert dict(blob.facts)["well determined"] == "no"


def test_a_silent_filter_is_gray_and_has_no_shape():
    features = np.vstack([np.tile([1.0, -1.0], 8), 1e-9 * np.tile([1.0, -1.0], 8)])
    alive, silent = described(features, np.array([[1.0, 0.0], [-1.0, 0.0]]), (4, 4))
    image = np.asarray(Image.open(BytesIO(b64decode(silent.picture.split(",")[1]))))
    np.testing.assert_array_equal(image, 128)
    assert "R² of Gabor" in dict(alive.facts)
    assert set(dict(silent.facts)) == {"used in", "share of the signal", "kurtosis", "silent"}
