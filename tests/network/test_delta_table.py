import re

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser
from network.written_formulas import evaluate, from_latex
from oracles import relative_error
from thinning import first_fast

from sparsebp.network import (
    Absolute,
    Add,
    Chain,
    Identity,
    Layer,
    Linear,
    Log1pSquare,
    Network,
    OneMinusGaussian,
    Parameter,
    Root,
    ScaledLogCosh,
    Sigmoid,
    Square,
    Subtract,
    Tanh,
    delta_table,
    simplified,
    value_and_gradients,
)

A, V, W = Parameter("A"), Parameter("V"), Parameter("W")


def chain(input, *pairs):
    """A network from weights and activations in turn, ending with an activation."""
    weights = [*pairs[1::2], None]
    return Network(input, [Layer(w, f) for w, f in zip(weights, pairs[::2], strict=True)])


I = Identity()  # noqa: E741
RECONSTRUCTION = chain("s", Linear(), A, Subtract("x"), I, Square())
TOPOGRAPHIC = chain("s", Square(), I, Linear(), V, Add(0.3), I, Root())
ICA = chain("x", Linear(), W, Linear(), W.T, Subtract("x"), I, Square())

SNAPSHOTS = {
    RECONSTRUCTION: """\
F = Σ [(A s − x)∘(A s − x)]

layer  weight  f      f'  δ              z
-----  ------  -----  --  -------------  -------
3      N/A     z²     2z  2z             A s − x
2      I       z − x  1   (Iᵀ δ⁽³⁾) ∘ 1  A s
1      A       z      1   (Aᵀ δ⁽²⁾) ∘ 1  s

∇s F = δ⁽¹⁾ = 2 Aᵀ (A s − x)
∇A F = δ⁽²⁾ a⁽¹⁾ᵀ = 2 (A s − x) sᵀ
∇x F = −δ⁽²⁾ = −2(A s − x)""",
    TOPOGRAPHIC: """\
F = Σ (V (s∘s) + ε)^½

layer  weight  f      f'       δ               z
-----  ------  -----  -------  --------------  -----------
4      N/A     z^½    ½z^(−½)  ½z^(−½)         V (s∘s) + ε
3      I       z + ε  1        (Iᵀ δ⁽⁴⁾) ∘ 1   V (s∘s)
2      V       z      1        (Vᵀ δ⁽³⁾) ∘ 1   s∘s
1      I       z²     2z       (Iᵀ δ⁽²⁾) ∘ 2s  s

∇s F = δ⁽¹⁾ = (Vᵀ (V (s∘s) + ε)^(−½)) ∘ s
∇V F = δ⁽³⁾ a⁽²⁾ᵀ = ½ (V (s∘s) + ε)^(−½) (s∘s)ᵀ""",
    ICA: """\
F = Σ [(Wᵀ W x − x)∘(Wᵀ W x − x)]

layer  weight  f      f'  δ                 z
-----  ------  -----  --  ----------------  ----------
4      N/A     z²     2z  2z                Wᵀ W x − x
3      I       z − x  1   (Iᵀ δ⁽⁴⁾) ∘ 1     Wᵀ W x
2      Wᵀ      z      1   ((Wᵀ)ᵀ δ⁽³⁾) ∘ 1  W x
1      W       z      1   (Wᵀ δ⁽²⁾) ∘ 1     x

∇x F = δ⁽¹⁾ − δ⁽³⁾ = 2 Wᵀ W (Wᵀ W x − x) − 2(Wᵀ W x − x)
∇W F = δ⁽²⁾ a⁽¹⁾ᵀ + a⁽²⁾ δ⁽³⁾ᵀ = 2 W (Wᵀ W x − x) xᵀ + 2 W x (Wᵀ W x − x)ᵀ""",
}
#: What is awkward to write: roots of roots, fractions and products in products, bars in a row.
AWKWARD = [
    RECONSTRUCTION,
    TOPOGRAPHIC,
    ICA,
    chain("x", Square(), I, Root(), I, Root(), I, Square()),
    chain("x", Square(), W, Square(), I, Root(), W.T, Log1pSquare()),
    chain("x", Linear(), W, Sigmoid(), W.T, Sigmoid()),
    chain("x", Absolute(), W, Square()),
    chain("x", Linear(), W, Absolute(), W, Log1pSquare(), W.T, ScaledLogCosh()),
    chain("x", Subtract("b_1"), W, Tanh(), I, Subtract("b_2"), I, Square()),
]


def random_chain(seed):
    """A network of square weights in which every formula is defined."""
    rng = np.random.default_rng(seed)
    weights = [I, A, A.T, W, W.T]
    singles = [Linear(), Square(), Tanh(), ScaledLogCosh(), Log1pSquare(), Sigmoid(), Subtract("y")]
    singles += [Subtract("b", repeated=True), OneMinusGaussian()]
    pairs: list = [Linear(), weights[rng.integers(1, 5)]]
    for _ in range(rng.integers(1, 5)):
        pairs += [singles[rng.integers(len(singles))], weights[rng.integers(5)]]
    if rng.random() < 0.4:
        pairs += [Square(), I, Add(0.3), I, Root(), weights[rng.integers(5)]]
    if rng.random() < 0.4:
        pairs += [Absolute(), weights[rng.integers(1, 5)]]
    tails = [
        (Square(),),
        (ScaledLogCosh(),),
        (Sigmoid(),),
        (Log1pSquare(),),
        (Subtract("x"), I, Square()),
    ]
    return chain("x", *pairs, *tails[rng.integers(5)])


def value_formula(table):
    """What stands in the table's first line for F."""
    return (
        table.splitlines()[0].strip("$ ").removeprefix(r"\[ ").removesuffix(r" \]")[len("F = ") :]
    )


def gradient_formulas(table, style):
    """The variable and the last expression of each line below the table."""
    name = r"\\nabla_\{(\w+)\} F" if style != "text" else r"∇(\w+) F"
    lines = [line.strip("$").removesuffix(r" \\").replace("&", "") for line in table.splitlines()]
    found = [(re.match(name, line), line.split(" = ")[-1]) for line in lines]
    return {match.group(1): formula for match, formula in found if match}


@pytest.mark.parametrize("network", SNAPSHOTS, ids=["reconstruction", "topographic", "ica"])
def test_the_tutorials_examples_as_text(network):
    assert delta_table(network) == SNAPSHOTS[network]


@pytest.mark.parametrize("seeds", first_fast([range(8), range(8, 60)]), ids=str)
@pytest.mark.parametrize("style", ["text", "markdown", "latex"])
def test_what_is_written_is_what_is_computed(style, seeds):
    for seed in seeds:
        network = random_chain(seed) if seed else TOPOGRAPHIC
        rng = np.random.default_rng(seed)
        # The samples are not square, so that a wrong transpose or order cannot pass.
        shapes = {
            n: (3, 4) if n in "sxy" else (3, 1) if n == "b" else (3, 3) for n in network.names
        }
        variables = {name: rng.normal(size=shape) / 2 for name, shape in shapes.items()}
        if "V" in variables:
            variables["V"] = np.abs(variables["V"])
        value, gradients = value_and_gradients(network, variables, network.names)
        table = delta_table(network, style)
        formulas = {"F": value_formula(table), **gradient_formulas(table, style)}
        gradients["F"] = value
        assert set(formulas) == {"F", *network.names}
        for name, formula in formulas.items():
            plain = formula if style == "text" else from_latex(formula)
            # More digits than needed, since log(1 + z²) of a tiny z loses many.
            precise = {n: v.astype(np.longdouble) for n, v in variables.items()}
            written = evaluate(plain, {**precise, "ε": 0.3})
            assert relative_error(written, gradients[name]) < 1e-10, (seed, name, formula)


@pytest.mark.parametrize("network", first_fast(AWKWARD[1:]), ids=range(1, len(AWKWARD)))
def test_the_mathematics_of_markdown_compiles(network):
    table = delta_table(network, "markdown")
    parser = MathTextParser("path")
    pieces = set(re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", table))
    assert len(pieces) > 10
    for displayed, inline in pieces:
        parser.parse(f"${displayed or inline}$")


@pytest.mark.parametrize("network", AWKWARD, ids=range(len(AWKWARD)))
def test_latex_is_the_same_mathematics_in_an_array(network):
    latex, markdown = delta_table(network, "latex"), delta_table(network, "markdown")
    assert latex.count("{") == latex.count("}")
    rows = latex.split("\\hline\n")[1].split("\n\\end{array}")[0].splitlines()
    cells = [row.removesuffix(r" \\").split(" & ") for row in rows]
    lines = markdown.split("\n\n")[1].splitlines()
    expected = [line.strip("| ").split(" | ") for line in lines[2:]]
    assert cells == [[c.strip("$") for c in row] for row in expected]
    for begin in ("array", "align*"):
        assert latex.count(f"\\begin{{{begin}}}") == latex.count(f"\\end{{{begin}}}") == 1
    assert gradient_formulas(latex, "latex") == gradient_formulas(markdown, "markdown")


@pytest.mark.parametrize("network", AWKWARD, ids=range(len(AWKWARD)))
def test_a_markdown_row_has_six_cells(network):
    rows = delta_table(network, "markdown").split("\n\n")[1].splitlines()
    assert len(rows) == 2 + len(network.layers)
    assert {row.count("|") for row in rows} == {7}


@pytest.mark.parametrize("style", ["text", "markdown", "latex"])
def test_no_typographic_minus_in_latex(style):
    assert ("−" in delta_table(ICA, style)) == (style == "text")


def test_a_name_with_braces_and_one_with_an_index_can_be_written():
    network = chain("x", Subtract("b_{1}"), I, Square())
    assert r"z_i - {b_{1}}_i" in delta_table(network, "latex")
    assert "z − b_{1}" in delta_table(network)


@pytest.mark.parametrize("network", [chain("s", Square()), RECONSTRUCTION, TOPOGRAPHIC, ICA])
def test_a_simplified_network_is_refused(network):
    with pytest.raises(ValueError, match="was simplified; give the literal one"):
        delta_table(simplified(network))


def test_a_chain_is_refused():
    with pytest.raises(ValueError, match="was simplified"):
        delta_table(chain("s", Chain((Square(),))))


def test_an_unknown_style_is_refused():
    with pytest.raises(
        ValueError, match="style must be one of 'text', 'markdown', 'latex', got 'html'"
    ):
        delta_table(ICA, "html")  # type: ignore[arg-type]


def test_numbers_cancel_and_stand_in_front():
    quarters = chain("x", Square(), I, Root(), I, Root())
    assert "∇x F = δ⁽¹⁾ = ½ (" in delta_table(quarters)
    eighths = chain("x", Linear(), W, Root(), W, Root(), W, Root(), W, Root())
    assert "= (1/16) Wᵀ" in delta_table(eighths)
    assert r"= \frac{1}{16} W^T" in delta_table(eighths, "latex")
    table = delta_table(TOPOGRAPHIC).split("\n\n")
    assert "½" in table[1]
    assert "½(" not in table[2].splitlines()[0]
    assert "2" not in table[2].splitlines()[0]


@pytest.mark.parametrize("style", ["text", "latex"])
def test_the_gradient_in_a_bias_is_summed_over_the_samples(style):
    network = chain("x", Linear(), W, Subtract("b", repeated=True), I, Square())
    lines = delta_table(network, style).splitlines()
    found = [line for line in lines if re.match(r"∇b|\\nabla_\{b\}", line)]
    text = "∇b F = −Σⱼ δ⁽²⁾ = −2 Σⱼ (W x − b)"
    latex = r"\nabla_{b} F &= -\sum_j \delta^{(2)} = -2 \sum_j (W x - b)"
    assert found == [text if style == "text" else latex]


def test_a_bias_of_several_columns_is_refused():
    network = chain("x", Subtract("b", repeated=True), I, Sigmoid())
    variables = {"x": np.ones((2, 3)), "b": np.ones((2, 3))}
    with pytest.raises(ValueError, match="b has 3 columns; what Subtract"):
        value_and_gradients(network, variables, "b")
