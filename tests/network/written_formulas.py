"""Reads formulas as `delta_table` writes them and computes what they say."""

from __future__ import annotations

import re

import numpy as np

_TOKEN = re.compile(
    r"\^\(−½\)|\^½|log cosh|log|exp|tanh²|tanh|sign|Σⱼ|"
    r"[()\[\]|+−∘/½¼⅛²ᵀσεΣ]|[0-9]+|[A-Za-z][A-Za-z0-9_]*|\s+"
)
_FUNCTIONS = {
    "log cosh": lambda z: np.log(np.cosh(z)),
    "log": np.log,
    "exp": np.exp,
    "tanh": np.tanh,
    "tanh²": lambda z: np.tanh(z) ** 2,
    "sign": np.sign,
    "σ": lambda z: 1 / (1 + np.exp(-z)),
}
_NUMBERS = {"½": 1 / 2, "¼": 1 / 4, "⅛": 1 / 8}
_POSTFIXES = {
    "ᵀ": np.transpose,
    "²": lambda z: z**2,
    "^½": lambda z: z**0.5,
    "^(−½)": lambda z: z**-0.5,
}
_LATEX = (
    (r"\^\{-1/2\}", "^(−½)"),
    (r"\^\{1/2\}", "^½"),
    (r"\\frac\{(\d+)\}\{(\d+)\}", r"(\1/\2)"),
    (r"\\sum_j", "Σⱼ"),
    (r"\\sum", "Σ"),
    (r"\\log\\cosh", "log cosh"),
    (r"\\operatorname\{sign\}", "sign"),
    (r"\\circ", "∘"),
    (r"\\sigma", "σ"),
    (r"\\epsilon", "ε"),
    (r"\\vert", "|"),
    (r"\\(tanh|log|exp)", r"\1"),
    (r"\^T", "ᵀ"),
    (r"\^2", "²"),
    (r"\{", "("),
    (r"\}", ")"),
    ("-", "−"),
)


def from_latex(formula: str) -> str:
    """Rewrite LaTeX as the text that means the same."""
    for pattern, plain in _LATEX:
        formula = re.sub(pattern, plain, formula)
    return formula


def evaluate(formula: str, variables) -> np.ndarray:
    """Compute a formula: + and − bind least, then ∘, then /, then the matrix product."""
    tokens = [t for t in _TOKEN.findall(formula) if not t.isspace()]
    assert "".join(tokens) == re.sub(r"(?<!log)\s+", "", formula), formula
    reader = _Reader(tokens, variables)
    value = reader.sum()
    assert not reader.tokens, f"left over: {reader.tokens}"
    return value


class _Reader:
    def __init__(self, tokens, variables):
        self.tokens, self.variables, self.inside_bars = list(tokens), variables, False

    def next_is(self, *tokens) -> bool:
        return bool(self.tokens) and self.tokens[0] in tokens

    def sum(self):
        negative = self.next_is("−") and self.tokens.pop(0)
        value = -self.elementwise() if negative else self.elementwise()
        while self.next_is("+", "−"):
            value = value + self.elementwise() if self.pop() == "+" else value - self.elementwise()
        return value

    def elementwise(self):
        value = self.quotient()
        while self.next_is("∘"):
            self.pop()
            value = value * self.quotient()
        return value

    def quotient(self):
        value = self.product()
        while self.next_is("/"):
            self.pop()
            value = value / self.product()
        return value

    def product(self):
        value = self.postfixed()
        while self.tokens and not self.next_is(")", "]", "+", "−", "∘", "/"):
            if self.inside_bars and self.next_is("|"):
                break
            factor = self.postfixed()
            value = value @ factor if np.ndim(value) and np.ndim(factor) else value * factor
        return value

    def postfixed(self):
        value = self.atom()
        while self.next_is(*_POSTFIXES):
            value = _POSTFIXES[self.pop()](value)
        return value

    def atom(self):
        token = self.pop()
        if token in _FUNCTIONS:
            assert self.pop() == "("
            return _FUNCTIONS[token](self.closed(")"))
        if token in "([":
            return self.closed(")" if token == "(" else "]")
        if token == "Σ":
            return np.sum(self.product())
        if token == "Σⱼ":
            return np.sum(self.product(), axis=1, keepdims=True)
        if token == "|":
            self.inside_bars = True
            value = np.abs(self.closed("|"))
            self.inside_bars = False
            return value
        if token in _NUMBERS or token.isdigit():
            return _NUMBERS.get(token) or float(token)
        return self.variables[token]

    def closed(self, bracket):
        value = self.sum()
        assert self.pop() == bracket
        return value

    def pop(self):
        return self.tokens.pop(0)
