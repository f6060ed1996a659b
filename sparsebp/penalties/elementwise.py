"""Penalties that are sums over single coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsebp import network as net
from sparsebp._checks import check_flag, check_number
from sparsebp._namespaces import namespace
from sparsebp.network import Activation, Identity, Layer
from sparsebp.penalties.base import Penalty


def _chain(*activations: Activation) -> tuple[Layer, ...]:
    *inner, last = activations
    return (*(Layer(Identity(), f) for f in inner), Layer(None, last))


@dataclass(frozen=True)
class L1(Penalty):
    """S(s) = Σ |s|, exactly.

    It is not differentiable at zero: sparse coding uses its proximal map, and ICA, whose
    coefficients are never exactly zero, its gradient elsewhere.

    Parameters
    ----------
    positive : bool
        Whether coefficients of sparse coding are constrained to be ≥ 0.

    Examples
    --------
    >>> L1().values_and_gradient(np.array([[3.0], [-2.0]]))[0]
    array([5.])
    """

    is_smooth = False

    positive: bool = False

    def __post_init__(self) -> None:
        check_flag("positive", self.positive)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """One layer: |z|."""
        return _chain(net.Absolute())

    def proximal(self, codes: np.ndarray, step: np.ndarray | float) -> np.ndarray:
        """Compute argmin over u of ½‖u − s‖² + step ‖u‖₁: soft thresholding.

        Parameters
        ----------
        codes : ndarray of shape (n_components, n_samples)
            s.
        step : float or ndarray that broadcasts
            The threshold, at least 0.

        Returns
        -------
        codes : ndarray of shape (n_components, n_samples)
            sign(s) max(|s| − step, 0), or max(s − step, 0) where coefficients are positive.
        """
        if self.positive:
            return namespace(codes).clip(codes - step, 0, None)
        return codes - namespace(codes).clip(codes, -step, step)

    def violation(
        self, codes: np.ndarray, gradient: np.ndarray, weight: np.ndarray | float
    ) -> np.ndarray:
        """Compute how far each column is from a minimum of f(s) + weight ‖s‖₁.

        Parameters
        ----------
        codes : ndarray of shape (n_components, n_samples)
            s.
        gradient : ndarray of shape (n_components, n_samples)
            ∇f there.
        weight : float or ndarray that broadcasts
            At least 0.

        Returns
        -------
        violation : ndarray of shape (n_samples,)
            The largest element of the minimum-norm subgradient, 0 at a minimum.
        """
        xp = namespace(codes)
        slope = -gradient if self.positive else xp.abs(gradient)
        used = xp.abs(gradient + weight * xp.sign(codes))
        unused = xp.clip(slope - weight, 0, None)
        return xp.max(xp.where(codes == 0, unused, used), axis=0)


@dataclass(frozen=True)
class SmoothL1(Penalty):
    """S(s) = Σ √(s² + ε), the tutorial's smoothed L1.

    Parameters
    ----------
    epsilon : float
        ε > 0: |s| is smoothed over a width of about √ε. "smooth_l1" by name has the estimator's.

    Raises
    ------
    ValueError
        If epsilon is not positive.

    Examples
    --------
    >>> SmoothL1(epsilon=1.0).values_and_gradient(np.zeros((2, 1)))[0]
    array([2.])
    """

    epsilon: float = 1e-2

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", check_number("epsilon", self.epsilon, above=0))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Three layers: z², z + ε, z^½."""
        return _chain(net.Square(), net.Add(self.epsilon), net.Root())


@dataclass(frozen=True)
class LogCosh(Penalty):
    """S(s) = Σ log cosh(a s) / a: quadratic near zero, |s| − (log 2) / a far from it.

    Parameters
    ----------
    sharpness : float
        a > 0: the larger, the closer to |s|. With 2 it is the contrast ``logcosh`` of MATLAB's
        ``rica``; FastICA has it with a in ``fun_args={"alpha": a}``.

    Examples
    --------
    >>> LogCosh().values_and_gradient(np.zeros((2, 1)))[0]
    array([0.])
    """

    sharpness: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sharpness", check_number("sharpness", self.sharpness, above=0))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """One layer: log cosh(a z) / a."""
        return _chain(net.ScaledLogCosh(self.sharpness))


@dataclass(frozen=True)
class Cauchy(Penalty):
    """S(s) = Σ log(1 + s²), minus the logarithm of a Cauchy prior (1 + s²)^(−1).

    Not convex: the result depends on the starting point.

    Examples
    --------
    >>> Cauchy().values_and_gradient(np.zeros((2, 1)))[0]
    array([0.])
    """

    @property
    def layers(self) -> tuple[Layer, ...]:
        """One layer: log(1 + z²)."""
        return _chain(net.Log1pSquare())


@dataclass(frozen=True)
class Welsch(Penalty):
    """S(s) = Σ [1 − exp(−s²/2)]: hardly more for a large coefficient than for a medium one.

    MATLAB's contrast "exp", plus one. Not convex: the result depends on the starting point.

    Examples
    --------
    >>> Welsch().values_and_gradient(np.array([[0.0, 40.0]]))[0]
    array([0., 1.])
    """

    @property
    def layers(self) -> tuple[Layer, ...]:
        """One layer: 1 − exp(−z²/2)."""
        return _chain(net.OneMinusGaussian())
