"""Problems: terms with their symbols, a constraint, values and meanings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sparsebp._namespaces import like, namespace
from sparsebp.network import Network
from sparsebp.penalties import Penalty
from sparsebp.problems.constraints import OrthonormalRows, UnitVectors
from sparsebp.problems.objective import Differentiable, Objective, Term, total
from sparsebp.samples import Samples, second_moment_factor

#: Attributes of penalties that are shown, and what their matrices are.
_NUMBERS = {r"\epsilon": "epsilon", "a": "sharpness"}
_SYMBOLS = {
    "V": "sums the squares of each group: of a neighborhood on the map, or of a subspace",
    "G": "has the sign of each component on its diagonal",
}


@dataclass(frozen=True)
class Part:
    """One network of a problem, with its weight and notation.

    Parameters
    ----------
    formula : str
        What the network computes, in LaTeX.
    network : Network
        In its literal layers.
    weight : float
        Its factor in F.
    symbol : str
        The factor's symbol in LaTeX; empty for a factor 1.
    is_mean : bool
        Whether F has the mean over the samples of what the network sums.
    is_quadratic : bool
        Whether it depends on the samples only through their second moments, like a squared error.
    """

    formula: str
    network: Network
    weight: float = 1.0
    symbol: str = ""
    is_mean: bool = True
    is_quadratic: bool = False


@dataclass(frozen=True)
class Problem:
    """F = Σ wᵢ Fᵢ in one or several free matrices, subject to a constraint.

    Parameters
    ----------
    free : tuple of str
        Names of the free matrices.
    parts : tuple of Part
        The terms of F.
    constraint : type, optional
        Of the first free matrix: `UnitRows`, `UnitColumns` or `OrthonormalRows`.
    samples : tuple of str
        Names of the matrices with a column per sample, the samples themselves first.
    fixed : mapping of str to matrix
        Fixed matrices of the problem, such as the groups of a penalty.
    values : mapping of str to float
        Values of the weights, by their symbols in LaTeX.
    meanings : mapping of str to str
        Meanings of the symbols.

    Examples
    --------
    >>> from sparsebp.penalties import L1
    >>> from sparsebp.problems import sparse_coding
    >>> problem = sparse_coding(L1(), alpha=0.5)
    >>> x, A, s = np.array([[3.0], [1.0]]), np.eye(2), np.array([[2.0], [0.0]])
    >>> problem.value({"x": x, "A": A, "s": s})
    3.0
    >>> problem.objective("s", {"x": x, "A": A}).value_and_gradient(s)[1].ravel()
    array([-1.5, -2. ])
    """

    free: tuple[str, ...]
    parts: tuple[Part, ...]
    constraint: type[UnitVectors] | type[OrthonormalRows] | None = None
    samples: tuple[str, ...] = ("x",)
    fixed: Mapping[str, Any] = field(default_factory=dict, repr=False)
    values: Mapping[str, float] = field(default_factory=dict, repr=False)
    meanings: Mapping[str, str] = field(default_factory=dict, repr=False)

    def objective(
        self,
        free: str,
        known: Mapping[str, Any],
        *,
        scale: float | None = None,
        compressed: bool = False,
    ) -> Objective:
        """Return F as a function of one matrix, without the constraint.

        Parameters
        ----------
        free : str
            Name of that matrix.
        known : mapping of str to matrix
            The samples x of shape (n_features, n_samples), an array or `Samples`, and the other
            free matrices.
        scale : float, optional
            Factor of sums over samples; the default is 1/n_samples, 1 gives plain sums.
        compressed : bool
            Whether quadratic terms run on a square-root factor of the second moments in place of
            all samples. The value and the gradient are the same.

        Returns
        -------
        objective : Objective
            The terms that depend on the matrix.
        """
        terms = self._terms(known, scale, compressed)
        return Objective(free, tuple(term for term in terms if free in term.network.names))

    def value(self, known: Mapping[str, Any], *, scale: float | None = None) -> float:
        """Compute F.

        Parameters
        ----------
        known : mapping of str to matrix
            The samples x in columns, and every free matrix.
        scale : float, optional
            As for `objective`.

        Returns
        -------
        value : float
            F, summed in float64.
        """
        return float(total(self._terms(known, scale)))

    def constrained(self, objective: Differentiable) -> Differentiable:
        """Return an objective in any matrix, which is mapped onto the constraint.

        Parameters
        ----------
        objective : Differentiable
            In a matrix that satisfies the constraint.

        Returns
        -------
        objective : Differentiable
            The same function of the matrix that `project` returns.
        """
        return objective if self.constraint is None else self.constraint(objective)

    def project(self, point: np.ndarray) -> np.ndarray:
        """Return a matrix that satisfies the constraint.

        Parameters
        ----------
        point : ndarray
            The first free matrix.

        Returns
        -------
        point : ndarray
            The matrix of `constraint`; the same where there is none.
        """
        return point if self.constraint is None else self.constraint.project(point)

    def with_penalty(self, penalty: Penalty) -> Problem:
        """Return the problem with a penalty's matrices, numbers and symbols added to its own.

        Parameters
        ----------
        penalty : Penalty
            The S of one of the parts.

        Returns
        -------
        problem : Problem
            The same terms.
        """
        numbers = {n: getattr(penalty.unsigned, name, None) for n, name in _NUMBERS.items()}
        shown = {n: v for n, v in numbers.items() if v is not None and (n, v) != ("a", 1)}
        symbols = {name: _SYMBOLS.get(name, "of the penalty") for name in penalty.variables}
        return replace(
            self,
            fixed={**self.fixed, **penalty.variables},
            values={**self.values, **shown},
            meanings={**self.meanings, **symbols},
        )

    def _terms(
        self, known: Mapping[str, Any], scale: float | None, compressed: bool = False
    ) -> list[Term]:
        x = known[self.samples[0]]
        others = [name for name in self.samples[1:] if name in known]
        if isinstance(x, Samples) and others:
            raise ValueError(
                f"{self.samples[0]} is {type(x).__name__}, of which blocks are taken, but "
                f"{others[0]} is an array; give both as arrays."
            )
        factor = 1 / x.shape[1] if scale is None else scale
        own = {name: like(matrix, x) for name, matrix in self.fixed.items()}
        terms = []
        for part in self.parts:
            fixed = {n: m for n, m in {**own, **known}.items() if n in part.network.names}
            if compressed and part.is_quadratic:
                fixed |= _compressed({n: fixed[n] for n in self.samples if n in fixed})
            weight = part.weight * (factor if part.is_mean else 1)
            terms.append(Term(weight, part.network, fixed))
        return terms


def _compressed(samples: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return few columns with the same second moments as these stacked matrices."""
    first, *others = samples.values()
    if not others:
        return dict.fromkeys(samples, second_moment_factor(first))
    factor = second_moment_factor(namespace(first).concat([first, *others], axis=0))
    ends = np.cumsum([m.shape[0] for m in samples.values()]).tolist()
    parts = zip(samples, [0, *ends], ends, strict=False)
    return {name: factor[start:end, :] for name, start, end in parts}
