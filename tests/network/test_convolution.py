import numpy as np
import pytest

from sparsebp.network import (
    Convolution,
    Identity,
    Layer,
    Linear,
    Network,
    ScaledLogCosh,
    Square,
    Subtract,
    check_gradient,
    delta_table,
    simplified,
    value_and_gradients,
)

SHAPES = [
    ((2, 3), (4, 5)),
    ((3, 2, 3), (4, 3)),
    ((1, 1), (2, 3)),
    ((4, 5), (2, 3)),
    ((2, 2), (1, 1)),
]


def drawn(patch_shape, image_shape, seed=0):
    """A convolution, its atoms, maps of which most places are empty, and an image."""
    weight = Convolution("A", patch_shape=patch_shape, image_shape=image_shape)
    rng = np.random.default_rng(seed)
    atoms = rng.normal(size=(np.prod(patch_shape), 3))
    maps = rng.normal(size=(3, np.prod(weight.map_shape)))
    image = rng.normal(size=(weight.n_channels, np.prod(image_shape)))
    return weight, atoms, maps * (rng.random(maps.shape[1]) < 0.4), image


def literal(weight, atoms, maps):
    """Put each atom at each place, element by element, and drop what is beyond the border."""
    (height, width), (rows, columns) = weight.image_shape, weight.patch_shape[:2]
    image = np.zeros((weight.n_channels, height, width))
    shaped = maps.reshape(-1, *weight.map_shape)
    patches = atoms.T.reshape(-1, rows, columns, weight.n_channels)
    for k, u, v in np.argwhere(shaped):
        for i in range(rows):
            for j in range(columns):
                y, x = u - rows + 1 + i, v - columns + 1 + j
                if 0 <= y < height and 0 <= x < width:
                    image[:, y, x] += shaped[k, u, v] * patches[k, i, j]
    return image.reshape(weight.n_channels, -1)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_the_image_is_the_sum_of_atoms_at_their_places(shapes):
    weight, atoms, maps, _ = drawn(*shapes)
    expected = literal(weight, atoms, maps)
    np.testing.assert_allclose(weight(maps, {"A": atoms}), expected, atol=1e-12)
    assert weight.map_shape == tuple(np.add(shapes[1], shapes[0][:2]) - 1)


@pytest.mark.parametrize("block", [1, 2**18])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_pull_back_and_gradient_are_adjoints(shapes, block, monkeypatch):
    monkeypatch.setattr("sparsebp.network.convolution._BLOCK", block)
    weight, atoms, maps, image = drawn(*shapes)
    variables = {"A": atoms}
    together = (weight(maps, variables) * image).sum()
    pulled = weight.pull_back(image, maps, image, variables)
    np.testing.assert_allclose(pulled, weight.T(image, variables))
    pairs = [(pulled, maps), (weight.gradient(image, maps, variables), atoms)]
    pairs += [(weight.T.pull_back(maps, image, maps, variables), image)]
    pairs += [(weight.T.gradient(maps, image, variables), atoms)]
    for gradient, of in pairs:
        assert (gradient * of).sum() == pytest.approx(together)


def test_one_place_is_a_product():
    """With a map of one element, convolution is the matrix product."""
    rng = np.random.default_rng(0)
    weight = Convolution("A", patch_shape=(1, 1, 4), image_shape=(2, 3))
    atoms, maps = rng.normal(size=(4, 5)), rng.normal(size=(5, 6))
    np.testing.assert_allclose(weight(maps, {"A": atoms}), atoms @ maps)


def autoencoder(patch_shape, image_shape):
    weight = Convolution("A", patch_shape=patch_shape, image_shape=image_shape)
    return Network(
        "x",
        [
            Layer(weight.T, Linear()),
            Layer(weight, ScaledLogCosh()),
            Layer(Identity(), Subtract("x")),
            Layer(None, Square()),
        ],
    )


@pytest.mark.parametrize("wrt", ["A", "x"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_gradients_are_exact_for_a_complex_step(shapes, wrt):
    network = autoencoder(*shapes)
    _, atoms, _, image = drawn(*shapes)
    variables = {"A": atoms, "x": image}

    def at(point):
        value, gradients = value_and_gradients(network, {**variables, wrt: point}, wrt)
        return value, gradients[wrt]

    assert check_gradient(at, variables[wrt]) < 1e-12
    expected = value_and_gradients(simplified(network), variables, wrt)
    np.testing.assert_allclose(at(variables[wrt])[1], expected[1][wrt])


def test_the_delta_table_of_a_convolution():
    weight = Convolution("A", patch_shape=(2, 2), image_shape=(3, 3))
    layers = [Layer(weight, Linear()), Layer(Identity(), Subtract("x")), Layer(None, Square())]
    distance = Network("s", layers)
    assert (
        delta_table(distance)
        == """\
F = Σ [(A ∗ s − x)∘(A ∗ s − x)]

layer  weight  f      f'  δ               z
-----  ------  -----  --  --------------  ---------
3      N/A     z²     2z  2z              A ∗ s − x
2      I       z − x  1   (Iᵀ δ⁽³⁾) ∘ 1   A ∗ s
1      A ∗     z      1   (A ⋆ δ⁽²⁾) ∘ 1  s

∇s F = δ⁽¹⁾ = 2 A ⋆ (A ∗ s − x)
∇A F = δ⁽²⁾ ⋆ a⁽¹⁾ = 2 (A ∗ s − x) ⋆ s
∇x F = −δ⁽²⁾ = −2(A ∗ s − x)"""
    )
    assert r"\nabla_{A} F = \delta^{(2)} \star a^{(1)}" in delta_table(distance, "markdown")


def test_the_delta_table_of_a_correlation():
    lines = delta_table(autoencoder((2, 2), (3, 3))).splitlines()
    (gradient,) = (line for line in lines if line.startswith("∇A F"))
    assert gradient.startswith("∇A F = a⁽¹⁾ ⋆ δ⁽²⁾ + δ⁽³⁾ ⋆ a⁽²⁾ = ")
    assert any("(A ∗ δ⁽²⁾) ∘ 1" in line for line in lines)


def test_precision_is_kept():
    weight, *arrays = drawn((2, 3), (4, 5))
    atoms, maps, image = (a.astype(np.float32) for a in arrays)
    found = [weight(maps, {"A": atoms}), weight.T(image, {"A": atoms})]
    assert {a.dtype for a in [*found, weight.gradient(image, maps, {})]} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("atoms", "n_places", "message"),
    [
        ((5, 3), 35, r"atoms A have shape \(5, 3\).* have 6 rows"),
        ((6, 3), 34, r"A ∗ needs an input of shape \(3, 35\), components by places"),
        ((6, 2), 35, r"A ∗ needs an input of shape \(2, 35\)"),
    ],
)
def test_shapes_that_do_not_fit_raise_errors(atoms, n_places, message):
    weight = Convolution("A", patch_shape=(2, 3), image_shape=(4, 5))
    assert weight.map_shape == (5, 7)
    with pytest.raises(ValueError, match=message):
        weight(np.ones((3, n_places)), {"A": np.ones(atoms)})
    with pytest.raises(ValueError, match=r"shape \(1, 20\), channels by pixels, got \(2, 20\)"):
        weight.T(np.ones((2, 20)), {"A": np.ones((6, 3))})


def test_a_shape_must_be_one_of_positive_integers():
    with pytest.raises(ValueError, match="image_shape must be 2 integers ≥ 1"):
        Convolution("A", patch_shape=(2, 2), image_shape=(0, 3))
    with pytest.raises(TypeError, match="patch_shape must be 2 or 3 integers"):
        Convolution("A", patch_shape=2, image_shape=(3, 3))  # type: ignore[arg-type]
