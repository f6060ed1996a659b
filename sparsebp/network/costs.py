"""The sum at the end of a network, plain or with the last activations absorbed into it.

Each cost returns one value for each column (sample) and δ, the gradient in its input, both times
the weight of the network in an objective. The absorbed forms compute them in fewer passes over the
data than the plain sum behind its layers, and the weight costs no pass of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsebp._namespaces import constant, is_foreign, namespace, sum_along
from sparsebp.network._shapes import require_same, unbroadcast
from sparsebp.network.activations import magnitude, sign
from sparsebp.network.weights import Variables

ValuesAndDelta = tuple[np.ndarray, np.ndarray]


class Cost:
    """Interface of costs: column values and δ, and the gradient in a variable."""

    names: tuple[str, ...] = ()

    def __call__(self, z: np.ndarray, variables: Variables, weight: float = 1.0) -> ValuesAndDelta:
        """Return the values (n_columns,) and δ, of the shape of z, times the weight."""
        raise NotImplementedError


@dataclass(frozen=True)
class Sum(Cost):
    """J(z) = Σ z."""

    def __call__(self, z: np.ndarray, variables: Variables, weight: float = 1.0) -> ValuesAndDelta:
        """Return the column sums and ones."""
        return weight * sum_along(z, 0), namespace(z).full_like(z, weight)


@dataclass(frozen=True)
class SumOfSquares(Cost):
    """J(z) = Σ z²."""

    def __call__(self, z: np.ndarray, variables: Variables, weight: float = 1.0) -> ValuesAndDelta:
        """Return the column sums of squares and 2z."""
        return weight * _square_sums(z), 2 * weight * z


@dataclass(frozen=True)
class SquaredDistance(Cost):
    """J(z) = Σ (z − x)², with a target x by its name."""

    name: str

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Variables whose gradient passes through this cost."""
        return (self.name,)

    def __call__(self, z: np.ndarray, variables: Variables, weight: float = 1.0) -> ValuesAndDelta:
        """Return the squared length of each column of z − x, and 2(z − x)."""
        target = variables[self.name]
        require_same(self.name, target.shape, z.shape)
        residual = z - target
        values = weight * _square_sums(residual)
        residual *= 2 * weight  # its own array, so a pass over fresh memory is saved
        return values, residual

    def gradient(self, delta: np.ndarray, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute −δ, the gradient in the target."""
        return -unbroadcast(delta, variables[self.name].shape)


@dataclass(frozen=True)
class SumOfRoots(Cost):
    """J(z) = Σ (z + c)^½, with a constant c > 0."""

    constant: float

    def __call__(self, z: np.ndarray, variables: Variables, weight: float = 1.0) -> ValuesAndDelta:
        """Return the column sums of roots, and ½ (z + c)^(−½)."""
        if is_foreign(z):
            root = namespace(z).sqrt(z + self.constant)
            return weight * sum_along(root, 0), 0.5 * weight / root
        root = z + self.constant  # one fresh array for everything: memory is slower than roots
        np.sqrt(root, out=root)
        return weight * root.sum(axis=0), np.divide(0.5 * weight, root, out=root)


@dataclass(frozen=True)
class SumOfSmoothAbsolutes(Cost):
    """J(z) = Σ (z² + c)^½, with a constant c > 0."""

    constant: float

    def __call__(self, z: np.ndarray, variables: Variables, weight: float = 1.0) -> ValuesAndDelta:
        """Return the column sums of smoothed absolute values, and z (z² + c)^(−½)."""
        if is_foreign(z):  # few passes over memory
            root = namespace(z).hypot(z, constant(self.constant**0.5, z))
            return weight * sum_along(root, 0), weight * z / root
        root = z * z
        root += self.constant
        np.sqrt(root, out=root)
        values = weight * root.sum(axis=0)
        np.divide(z, root, out=root)
        if weight != 1:
            root *= weight
        return values, root


@dataclass(frozen=True)
class SumOfLogCosh(Cost):
    """J(z) = Σ log cosh(a z) / a, with a sharpness a > 0."""

    sharpness: float = 1.0

    def __call__(self, z: np.ndarray, variables: Variables, weight: float = 1.0) -> ValuesAndDelta:
        """Return the column sums of log cosh(a z) / a, and tanh(a z), from one exponential."""
        if is_foreign(z):  # few passes over memory
            xp, u = namespace(z), magnitude(z) * self.sharpness
            values = sum_along(u + xp.log1p(0.5 * xp.expm1(-2 * u)), 0)
            return weight / self.sharpness * values, weight * xp.tanh(self.sharpness * z)
        u = magnitude(z)
        u *= self.sharpness
        t = -2 * u
        np.expm1(t, out=t)
        delta = t + 2
        np.divide(t, delta, out=delta)
        delta *= -weight * sign(z)
        t *= 0.5
        u += np.log1p(t, out=t)
        return weight / self.sharpness * u.sum(axis=0), delta


@dataclass(frozen=True)
class SumOfLog1pSquares(Cost):
    """J(z) = Σ log(1 + z²)."""

    def __call__(self, z: np.ndarray, variables: Variables, weight: float = 1.0) -> ValuesAndDelta:
        """Return the column sums of log(1 + z²), and 2z / (1 + z²)."""
        square = z * z
        values = weight * sum_along(namespace(z).log1p(square), 0)
        square += 1
        return values, 2 * weight * z / square


def _square_sums(z: np.ndarray) -> np.ndarray:
    if is_foreign(z):
        lengths = namespace(z).linalg.vector_norm(z, axis=0)
        return lengths * lengths
    return np.einsum("ij,ij->j", z, z)
