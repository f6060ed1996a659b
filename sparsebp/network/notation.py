"""Notation: pieces of text and LaTeX with the precedence that decides on brackets."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Literal

Style = Literal["text", "markdown", "latex"]


@dataclass(frozen=True)
class Expression:
    """A written formula.

    Its binding is its precedence: 3 a single symbol, 2 a product, 1 a sum or ∘-product. Products
    collect the factors, numbers that multiply the text, so that ½ and 2 cancel; `written` puts the
    result in front.
    """

    text: str
    binding: int = 3
    factor: Fraction = Fraction(1)

    def written(self, style: Style) -> Expression:
        """Return the same with the factor as the text's first symbol."""
        if self.factor == 1:
            return self
        tight = self.binding == 3 and style != "latex"
        text = number(self.factor, style) + ("" if tight else " ") + self.text
        return Expression(text, min(self.binding, 2))

    def bracketed(self, needed: int) -> str:
        """Return the text, in brackets if it binds more loosely than needed."""
        return self.text if self.binding >= needed else f"({self.text})"


@dataclass(frozen=True)
class Formula:
    """Notation of an activation f in a table and around an expression.

    Parameters
    ----------
    value : str
        f(z), as the table's column f shows it.
    derivative : str
        f'(z) with ``{z}`` where z stands, without the factor.
    around : str
        f of a whole expression, with ``{z}`` where the expression stands.
    latex : tuple of str
        The same three in LaTeX.
    wrap : bool
        Whether the expression needs brackets unless it is a single symbol.
    bare : bool
        Whether f leaves the expression as it is.
    binding : int
        Precedence of f of an expression, as in `Expression`.
    slope_binding : int
        The same of f' of an expression.
    jacobian : bool
        Whether f' is a matrix J for each row or column, not a number for each element.
    factor : Fraction
        The number that f' begins with.
    """

    value: str
    derivative: str
    around: str
    latex: tuple[str, str, str]
    wrap: bool = False
    bare: bool = False
    binding: int = 1
    slope_binding: int = 2
    jacobian: bool = False
    factor: Fraction = Fraction(1)

    def shown(self, style: Style) -> str:
        """Return f(z)."""
        return self.latex[0].format() if style == "latex" else self.value

    def slope(self, z: Expression, style: Style) -> Expression:
        """Return f' at an expression."""
        template = self.latex[1] if style == "latex" else self.derivative
        binding = 3 if template == "1" else self.slope_binding
        return Expression(template.format(z=self._operand(z)), binding, self.factor)

    def of(self, z: Expression, style: Style) -> Expression:
        """Return f of an expression."""
        if self.bare:
            return z
        template = self.latex[2] if style == "latex" else self.around
        return Expression(template.format(z=self._operand(z)), self.binding)

    def _operand(self, z: Expression) -> str:
        return z.bracketed(3) if self.wrap else z.text


def product(*factors: Expression) -> Expression:
    """Write a matrix product."""
    factor = prod((f.factor for f in factors), start=Fraction(1))
    return Expression(" ".join(f.bracketed(2) for f in factors), 2, factor)


def transpose(e: Expression, style: Style) -> Expression:
    """Write a transpose."""
    if style == "latex":
        base = f"{{{e.text}}}" if "^" in e.text else e.text
        brackets = e.binding < 3 or e.text.endswith("^T")
        return Expression((f"({e.text})" if brackets else base) + "^T", 3, e.factor)
    text = f"({e.text})" if e.text.endswith("ᵀ") else e.bracketed(3)
    return Expression(text + "ᵀ", 3, e.factor)


def hadamard(a: Expression, b: Expression, style: Style) -> Expression:
    """Write an element-wise product."""
    dot = r" \circ " if style == "latex" else " ∘ "
    left = f"({a.text})" if " " in a.text and not a.text.startswith("(") else a.bracketed(2)
    return Expression(left + dot + b.bracketed(2), 1, a.factor * b.factor)


def correlation(image: Expression, maps: Expression, style: Style) -> Expression:
    """Write the correlation of an image with maps."""
    star = r" \star " if style == "latex" else " ⋆ "
    text = image.bracketed(3) + star + maps.bracketed(3)
    return Expression(text, 2, image.factor * maps.factor)


def sum_over_samples(e: Expression, style: Style) -> Expression:
    """Write the sum of a matrix's columns."""
    sign = r"\sum_j " if style == "latex" else "Σⱼ "
    return Expression(sign + e.bracketed(2), 2, e.factor)


def number(value: Fraction, style: Style) -> str:
    """Write a factor: 2, ½ or 3/8."""
    if value.denominator == 1:
        return str(value.numerator)
    if style == "latex":
        return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    known = {Fraction(1, 2): "½", Fraction(1, 4): "¼", Fraction(1, 8): "⅛"}
    return known.get(value, f"({value})")


def delta(layer: int, style: Style) -> Expression:
    """Write δ of a layer."""
    return Expression(rf"\delta^{{({layer})}}" if style == "latex" else f"δ⁽{superscript(layer)}⁾")


def jacobian(layer: int, style: Style) -> Expression:
    """Write the matrix J of a layer whose f' is one."""
    return Expression(f"J^{{({layer})}}" if style == "latex" else f"J⁽{superscript(layer)}⁾")


def superscript(number: int) -> str:
    """Return a whole number in raised digits."""
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
