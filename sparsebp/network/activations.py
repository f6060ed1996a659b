"""Activation functions, applied element by element.

An activation knows its value, its derivative and how both are written. The formulas hold for
complex arguments too (no absolute value, no conjugate), so complex-step differentiation of a
network is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sparsebp._namespaces import is_foreign, namespace
from sparsebp.network.notation import Formula
from sparsebp.network.weights import Variables


class Activation:
    """Base of activations f; subclasses define ``__call__``, ``derivative`` and ``formula``.

    Writing your own takes those three: ``__call__(z, variables)`` returns f(z), ``derivative(z,
    a)`` returns f'(z) (``a`` is f(z), which often simplifies it) and ``formula`` is the notation of
    f.
    """

    names: tuple[str, ...] = ()
    formula: Formula

    @property
    def steps(self) -> tuple[Activation, ...]:
        """The elementary activations, first applied first."""
        return (self,)

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute f(z)."""
        raise NotImplementedError

    def derivative(self, z: np.ndarray, a: np.ndarray) -> Any:
        """Compute f'(z) given z and a = f(z)."""
        raise NotImplementedError

    def pull_back(
        self, delta: np.ndarray, z: np.ndarray, a: np.ndarray, variables: Variables
    ) -> np.ndarray:
        """Compute δ ∘ f'(z). It may overwrite δ, which nothing needs afterwards."""
        return delta * self.derivative(z, a)


class Shift(Activation):
    """An activation of slope one: δ passes back unchanged."""

    def derivative(self, z: np.ndarray, a: np.ndarray) -> Any:
        """Return ones."""
        return namespace(z).ones_like(z)

    def pull_back(
        self, delta: np.ndarray, z: np.ndarray, a: np.ndarray, variables: Variables
    ) -> np.ndarray:
        """Return δ itself."""
        return delta


@dataclass(frozen=True)
class Linear(Shift):
    """f(z) = z."""

    formula = Formula("z", "1", "{z}", latex=("z_i", "1", "{z}"), bare=True)

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Return z itself."""
        return z


@dataclass(frozen=True)
class Add(Shift):
    """f(z) = z + c.

    Parameters
    ----------
    constant : float
        What is added; printed as ε in delta tables.
    """

    constant: float

    formula = Formula("z + ε", "1", "{z} + ε", (r"z_i + \epsilon", "1", r"{z} + \epsilon"))

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute z + c."""
        return z + float(self.constant)


@dataclass(frozen=True)
class Square(Activation):
    """f(z) = z²."""

    formula = Formula(
        "z²",
        "{z}",
        "{z}∘{z}",
        ("z_i^2", "{z}", r"{z} \circ {z}"),
        wrap=True,
        slope_binding=3,
        factor=Fraction(2),
    )

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute z²."""
        return z * z

    def derivative(self, z: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Compute 2z."""
        return 2 * z

    def pull_back(
        self, delta: np.ndarray, z: np.ndarray, a: np.ndarray, variables: Variables
    ) -> np.ndarray:
        """Compute 2 δ ∘ z, in δ's own memory where it fits."""
        if delta.dtype != z.dtype or delta.shape != z.shape:
            return 2 * (delta * z)
        delta *= z
        delta *= 2
        return delta


@dataclass(frozen=True)
class Root(Activation):
    """f(z) = z^½, for z > 0."""

    formula = Formula(
        "z^½",
        "{z}^(−½)",
        "{z}^½",
        (r"z_i^{{1/2}}", r"{z}^{{-1/2}}", r"{z}^{{1/2}}"),
        wrap=True,
        binding=2,
        slope_binding=3,
        factor=Fraction(1, 2),
    )

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute the square root of z."""
        return namespace(z).sqrt(z)

    def derivative(self, z: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Compute ½ z^(−½)."""
        return 0.5 / a


@dataclass(frozen=True)
class Sigmoid(Activation):
    """f(z) = 1 / (1 + exp(−z))."""

    formula = Formula(
        "σ(z)",
        "σ({z}) ∘ (1 − σ({z}))",
        "σ({z})",
        (r"\sigma(z_i)", r"\sigma({z}) \circ (1 - \sigma({z}))", r"\sigma({z})"),
        binding=3,
        slope_binding=1,
    )

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute the logistic function through tanh, which does not overflow."""
        return 0.5 + 0.5 * namespace(z).tanh(0.5 * z)

    def derivative(self, z: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Compute a(1 − a)."""
        return a * (1 - a)


@dataclass(frozen=True)
class Tanh(Activation):
    """f(z) = tanh z."""

    formula = Formula(
        "tanh z",
        "(1 − tanh²({z}))",
        "tanh({z})",
        (r"\tanh z_i", r"(1 - \tanh^2({z}))", r"\tanh({z})"),
        binding=3,
    )

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute tanh z."""
        return namespace(z).tanh(z)

    def derivative(self, z: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Compute 1 − a²."""
        return 1 - a * a


_SHARP_LOG_COSH = Formula(
    "log cosh(a z) / a",
    "tanh(a {z})",
    "log cosh(a {z}) / a",
    (r"\log\cosh(a z_i) / a", r"\tanh(a {z})", r"\log\cosh(a {z}) / a"),
    wrap=True,
)


@dataclass(frozen=True)
class ScaledLogCosh(Activation):
    """f(z) = log cosh(a z) / a, a smooth |z| − (log 2) / a.

    Parameters
    ----------
    sharpness : float
        a > 0; printed as a in delta tables unless it is 1.
    """

    sharpness: float = 1.0

    formula = Formula(
        "log cosh z",
        "tanh({z})",
        "log cosh({z})",
        (r"\log\cosh z_i", r"\tanh({z})", r"\log\cosh({z})"),
        binding=3,
    )

    def __post_init__(self) -> None:
        if self.sharpness != 1:
            object.__setattr__(self, "formula", _SHARP_LOG_COSH)

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute [u + log(1 + expm1(−2u)/2)] / a, u = a |z|: no overflow, no small z lost."""
        xp, u = namespace(z), magnitude(z) * self.sharpness
        return (u + xp.log1p(0.5 * xp.expm1(-2 * u))) / self.sharpness

    def derivative(self, z: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Compute tanh(a z)."""
        return namespace(z).tanh(self.sharpness * z)


@dataclass(frozen=True)
class Log1pSquare(Activation):
    """f(z) = log(1 + z²), minus the logarithm of the Cauchy prior with β = 1."""

    formula = Formula(
        "log(1 + z²)",
        "{z} / (1 + {z}²)",
        "log(1 + {z}²)",
        (r"\log(1 + z_i^2)", r"{z} / (1 + {z}^2)", r"\log(1 + {z}^2)"),
        wrap=True,
        binding=3,
        slope_binding=1,
        factor=Fraction(2),
    )

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute log(1 + z²)."""
        return namespace(z).log1p(z * z)

    def derivative(self, z: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Compute 2z / (1 + z²)."""
        return 2 * z / (1 + z * z)


@dataclass(frozen=True)
class OneMinusGaussian(Activation):
    """f(z) = 1 − exp(−z²/2), quadratic near zero and constant far from it."""

    formula = Formula(
        "1 − exp(−½z²)",
        "{z} ∘ exp(−½({z}∘{z}))",
        "1 − exp(−½({z}∘{z}))",
        (
            r"1 - \exp(-\frac{{1}}{{2}} z_i^2)",
            r"{z} \circ \exp(-\frac{{1}}{{2}} ({z} \circ {z}))",
            r"1 - \exp(-\frac{{1}}{{2}} ({z} \circ {z}))",
        ),
        wrap=True,
        slope_binding=1,
    )

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute −expm1(−z²/2), which keeps the digits of small z."""
        return -namespace(z).expm1(-0.5 * z * z)

    def derivative(self, z: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Compute z exp(−z²/2)."""
        return z * (1 - a)


@dataclass(frozen=True)
class Absolute(Activation):
    """f(z) = |z|; the derivative at zero is set to 0, the minimum-norm subgradient."""

    formula = Formula(
        "|z|",
        "sign({z})",
        "|{z}|",
        (r"\vert z_i \vert", r"\operatorname{{sign}}({z})", r"\vert {z} \vert"),
        binding=3,
    )

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute |z|."""
        return magnitude(z)

    def derivative(self, z: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Compute sign z."""
        return sign(z)


@dataclass(frozen=True)
class Chain(Activation):
    """Several activations, one after the other; made by `simplified`.

    Parameters
    ----------
    parts : tuple of Activation
        The first is applied first.
    """

    parts: tuple[Activation, ...]

    @property
    def steps(self) -> tuple[Activation, ...]:
        """The elementary activations, first applied first."""
        return tuple(step for part in self.parts for step in part.steps)


def magnitude(z: np.ndarray) -> np.ndarray:
    """Compute |z| for real z, continued to complex z by the sign of the real part."""
    if is_foreign(z):
        return namespace(z).abs(z)
    return np.abs(z) if np.isrealobj(z) else np.where(np.real(z) < 0, -z, z)


def sign(z: np.ndarray) -> np.ndarray:
    """Compute the sign of z, for complex z that of the real part."""
    return namespace(z).sign(z) if is_foreign(z) else np.sign(np.real(z))
