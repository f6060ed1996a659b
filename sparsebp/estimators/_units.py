"""Warnings, with advice, about samples of the wrong scale for the weights, or not white.

Whether a penalty distinguishes sparse from dense coefficients of some size follows from its values:
S(2s) / S(s), with S(0) subtracted, is 4 where S is a parabola, 2 for |s|, and near 1 where S is
flat. Thresholds are from planted dictionaries and mixtures, fitted at scales from 10⁻⁴ to 10⁴.

White samples have mean 0 and the same variance in all directions that they span. The variances
λ of n directions are compared with equal ones by δ² = (n Σλ² / (Σλ)² − 1) / (n − 1): 0 for
white samples, 1 if they span one direction. For features of equal variance, δ is the root mean
square of their correlations, and any rotation of the samples has the same δ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sparsebp._magnitudes import in_range, largest_known
from sparsebp._warnings import warn_user
from sparsebp.coding import KnownImage, split_missing
from sparsebp.penalties import Penalty
from sparsebp.samples import Samples

#: Growth above which S is a parabola: above 3.7 no atom of a planted dictionary was found.
_PARABOLA = 3.6
#: Growth below which S is flat: Amari distances are 0.3 at 1.08, but 0.017 at 1.09.
_LEVEL = 1.09
#: Codes are dense with this fraction of coefficients in use, and this fraction of the energy left.
#: For samples of about unit variance, or with few features, this may be intended. Photographs of
#: 256 gray levels, with α = 1 and patches of 8 × 8 without their means: 0.6 and 0.0005 to 0.002
#: for |s|, 0.003 to 0.0045 for a topographic penalty.
_DENSE, _LEFT, _LARGE, _SEVERAL = 0.5, 5e-3, 10, 8
#: α is too large where more than this share of the samples has no code, and of the energy is left.
_IDLE = 0.5
#: Of images, α is too large where more than this share of the energy is left. (White photographs:
#: 2 to 46 % with α from 1 to 10, 85 % with α = 20.)
_FAINT = 0.9
#: A coefficient is in use above this fraction of the root mean square.
_IN_USE = 0.01
#: Samples of which the scale is computed.
SCALED = 10_000
#: Samples by which a penalty is judged, and those encoded for it.
ENOUGH, _FEW = 1000, 200
#: Samples needed to judge a scale, and ratios that patches of photographs never reach: a hundredth
#: of the contrast of others is below one gray level.
_MANY, _LARGER, _SMALLER = 100, 30.0, 0.01
#: Patches of photographs of 8 × 8 to 16 × 16 have δ of 0.64 to 0.94, without their means 0.19 to
#: 0.34; of images whitened as a whole up to 0.17, whitened with a strong regularization up to 0.23.
#: Mixtures of up to 16 sources have 0.25 or more, 32 channels of EEG 0.58.
_NOT_WHITE = 0.25
#: More atoms in use than this share of the values were learned, to an error alone, when none of 50
#: planted atoms of 20 values was found, with 9 in use; where all were found, there were 3.
_MANY_ACTIVE = 1 / 3
#: Directions of less than this share of the largest variance are not counted.
_NEGLIGIBLE = 1e-6


def growth(penalty: Penalty, responses: np.ndarray) -> float:
    """Compute the growth of a penalty when all coefficients (n_components, n_samples) are doubled.

    Σ [S(2s) − S(0)] / Σ [S(s) − S(0)] is 4 for a parabola, 2 for |s|, 1 if S is flat; signs are
    ignored.

    Examples
    --------
    >>> from sparsebp.penalties import L1, Cauchy
    >>> s = np.array([[0.001, -0.002]])
    >>> round(growth(L1(), s), 3), round(growth(Cauchy(), s), 3)
    (2.0, 4.0)
    """
    wide = np.asarray(responses, dtype=np.float64)
    base, once, twice = (
        float(penalty.unsigned.values_and_gradient(factor * wide)[0].sum())
        for factor in (0.0, 1.0, 2.0)
    )
    if not once - base > 1e-12 * abs(base):  # below rounding error
        return 4.0
    return (twice - base) / (once - base)


def is_parabola(penalty: Penalty, responses: np.ndarray) -> bool:
    """Return whether coefficients are so small that the penalty is a parabola for them."""
    return growth(penalty, responses) > _PARABOLA


class _Coded(NamedTuple):
    """How samples or images are coded.

    Parameters
    ----------
    codes : ndarray of shape (n_components, n_columns)
        Coefficients, of a sample or of a place in each column.
    left : float
        Share of the energy that they leave.
    too_few : str
        What is said of codes that are nearly all zero; empty if they are not.
    room : float
        Coefficients per column that suffice to represent all.
    """

    codes: np.ndarray
    left: float
    too_few: str
    room: float


def warn_of_units(
    name: str,
    penalty: Penalty,
    alpha: float,
    x: np.ndarray,
    A: np.ndarray,
    encoded: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Warn if α or the scale of the samples makes all codes zero, or none.

    Samples x, of which NaN is missing, and atoms A are columns; `encoded` maps samples to codes.
    Exact L1 codes of a sample are all zero for α ≥ 2 max|Aᵀx|.
    """

    def coded() -> _Coded:
        codes = encoded(few := x[:, :: -(-x.shape[1] // _FEW)])
        few, known = split_missing(few)
        error = np.square(few - A @ codes).sum(where=known is None or known)
        left = float(error / np.square(few).sum())
        idle = float((np.abs(codes) <= _IN_USE * _root_mean_square(codes)).all(axis=0).mean())
        told = f"{idle:.0%} of them have no coefficient in use, and the codes leave {left:.0%}"
        too_few = told if idle > _IDLE and left > _IDLE else ""
        return _Coded(codes, left, too_few, min(A.shape) if min(A.shape) >= _SEVERAL else np.inf)

    pull = A.T @ split_missing(x)[0]
    # Weight decay makes unused atoms short, for any scale of the samples.
    lengths = np.linalg.norm(A, axis=0)[:, np.newaxis]
    responses = pull / np.where(lengths > 0, lengths, 1)
    limits = 2 * np.abs(pull).max(axis=0)
    _warn_of_codes(name, penalty, alpha, responses, limits, coded, ("samples", "Aᵀx", "sample"))


def warn_of_image_units(
    name: str,
    penalty: Penalty,
    alpha: float,
    images: Sequence[KnownImage],
    basis: np.ndarray,
    maps: Callable[[], Sequence[np.ndarray]],
) -> None:
    """Warn, as `warn_of_units` does, of images whose `maps` of the atoms are all zero, or dense."""

    def coded() -> _Coded:
        found, error, energy = maps(), 0.0, 0.0
        for image, s in zip(images, found, strict=True):
            x, known = image.variables["x"], image.variables.get("M", 1)
            error += float(np.square(known * (x - image.weight(s, {"A": basis}))).sum())
            energy += float(np.square(x).sum())
        left = error / energy
        too_few = f"their codes leave {left:.1%}" if left > _FAINT else ""
        return _Coded(np.hstack(found), left, too_few, images[0].patch_shape[2])

    pulls = [image.weight.T(image.variables["x"], {"A": basis}) for image in images]
    limits = np.array([2 * float(np.abs(pull).max()) for pull in pulls])
    words = ("images", "A ⋆ x", "pixel")
    _warn_of_codes(name, penalty, alpha, np.hstack(pulls), limits, coded, words)


def _warn_of_codes(
    name: str,
    penalty: Penalty,
    alpha: float,
    responses: np.ndarray,
    limits: np.ndarray,
    coded: Callable[[], _Coded],
    words: tuple[str, str, str],
) -> None:
    """Warn of codes that are all zero, nearly all zero, or dense.

    `limits` are the weights from which on the L1 codes of each sample, or image, are all zero;
    `words` are the names of the samples, of their products with the atoms, and of one of them.
    """
    largest, (what, product, one) = float(limits.max()), words
    if not largest > 0:
        return
    if warn_of_hidden(name, penalty, responses, alpha=True) or not alpha:
        return
    unit, (codes, left, too_few, room) = _root_mean_square(responses), coded()
    scale = f"cale X to unit variance (multiply it by about {1 / unit:.1g})"
    larger = f", or s{scale}" if unit < 1 else ""  # what has unit variance needs a smaller α
    if not codes.any() or is_parabola(penalty, codes):
        nearly = " beyond the smoothing at zero" if codes.any() else ""
        warn_user(
            f"{name}: alpha is {alpha:g}, and all coefficients are zero{nearly}; for these {what} "
            f"alpha must be below {largest:.2g} (2 max|{product}|). Give about "
            f"{largest / 10:.1g}{larger}."
        )
        return
    if too_few:
        # Of a typical sample: the largest of all may be an outlier, and is above α then.
        give = min(float(np.median(limits)), alpha) / 10
        warn_user(
            f"{name}: alpha={alpha:g} is too large for these {what}: {too_few} of the energy. "
            f"Give about {give or alpha / 10:.1g}{larger}."
        )
        return
    used = float((np.abs(codes) > _IN_USE * _root_mean_square(codes)).mean()) * len(codes)
    if unit >= _LARGE and left < _LEFT and used > _DENSE * room:
        like_l1 = abs(growth(penalty, responses) - 2) < 0.2
        give = f"Give about {unit:.1g}, or s{scale}" if like_l1 else f"S{scale}"
        warn_user(
            f"{name}: alpha={alpha:g} is too small for these {what}: {used:.2g} coefficients per "
            f"{one} are in use and leave {left:.1g} of the energy, so codes are not sparse. {give}."
        )


def warn_of_few_samples(n_atoms: int, n_samples: int) -> None:
    """Warn if there are more atoms than samples, which could then be the atoms themselves."""
    if n_atoms > n_samples:
        warn_user(
            f"SparseCoding: {n_atoms} atoms are learned from {n_samples} samples, so that each "
            "sample can have an atom of its own. Give more samples, or lower n_components."
        )


def warn_of_many_active(error: float, samples: np.ndarray, codes: np.ndarray) -> None:
    """Warn if codes (n_components, n_samples), within an error, need many atoms for a sample."""
    known, active = np.isfinite(samples).sum(axis=0), np.count_nonzero(codes, axis=0)
    if active.sum() > _MANY_ACTIVE * known.sum():
        warn_user(
            f"SparseCoding: with error={error:g} a sample takes {active.mean():.2g} atoms on "
            f"average, for {known.mean():.3g} values. So many come near any sample, and the atoms "
            "may not be those of the data. Give n_nonzero, the most atoms of a sample, as well, or "
            "a larger error."
        )


def warn_of_hidden(
    name: str, penalty: Penalty, responses: np.ndarray, *, alpha: bool = False
) -> bool:
    """Warn, and return True, if a penalty is a parabola or flat at the responses of components.

    `alpha` says whether the weight of the penalty depends on the scale of the samples.
    """
    unit = _root_mean_square(responses)
    grown = growth(penalty, responses) if unit else 2.0
    if _LEVEL < grown < _PARABOLA:
        return False
    epsilon = getattr(penalty, "epsilon", None)
    given = f"penalty is {penalty}" if epsilon is None else f"epsilon is {epsilon:g}"
    shape = "hardly grows" if grown < 2 else "is a parabola, which makes nothing sparse"
    weights = (", with alpha of about 1", f" and alpha of about {unit:.1g}") if alpha else ("", "")
    instead = "" if epsilon is None else f", or give epsilon of about {unit**2 / 1000:.1g}"
    instead += weights[1] * bool(instead)
    warn_user(
        f"{name}: {given}, but the products of atoms or filters with these samples have the root "
        f"mean square {unit:.2g}, where the penalty {shape}. Scale X to unit variance (multiply "
        f"it by about {1 / unit:.1g}{weights[0]}){instead}."
    )
    return True


def warn_of_scale(samples: Samples, learned: float | None) -> None:
    """Warn if samples are much larger or smaller than those of `fit`, whose `scale_of` is known."""
    if not learned or samples.shape[1] < _MANY:
        return
    some = samples.take_evenly(SCALED)
    found = scale_of(some)
    if found > _LARGER * learned:
        size = f"{found / learned:.1g} times as large as"
    elif found > 0 and largest_known(some) < _SMALLER * learned:
        size = f"{learned / found:.1g} times smaller than"
    else:
        return
    warn_user(
        f"X has another scale than the samples of fit: its values are {size} those. Multiply X by "
        f"about {learned / found:.1g}, or use the same preprocessing."
    )


def scale_of(some: np.ndarray) -> float:
    """Compute the root mean square of samples in columns about their mean; NaN is missing."""
    some, known = split_missing(some.astype(np.float64, copy=False))
    some, exponent = in_range(some)
    if known is None:
        variances = some.var(axis=1)
    else:
        seen = known.any(axis=1)
        variances = some[seen].var(axis=1, where=known[seen]) if seen.any() else np.zeros(1)
    return float(np.ldexp(np.sqrt(variances.mean()), exponent))


def _root_mean_square(values: np.ndarray) -> float:
    largest = float(np.abs(values).max()) or 1.0  # its square may be out of range
    return float(np.sqrt(np.square(values / largest, dtype=np.float64).mean())) * largest


def warn_if_not_white(name: str, some: np.ndarray) -> None:
    """Warn if an estimator that does not whiten has samples, in rows, that are not white."""
    variances = variances_of(some)
    if anisotropy(variances, len(some)) <= _NOT_WHITE**2 + 4 / len(some):  # by chance, in few
        return
    ratio = float(f"{variances[-1] / variances[0]:.1g}")
    warn_user(
        f"{name}: whiten=False, but X is not white: its variance about 0 in different directions "
        f"differs by a factor of about {ratio:,.0f}. White samples are required, since otherwise "
        "filters reflect these variances and sources stay mixed. Set whiten=True, or whiten X "
        "first."
    )


def variances_of(X: np.ndarray) -> np.ndarray:
    """Compute the second moments about 0 along the directions that samples span, ascending.

    They are in units of the largest square; there are none if all samples are 0.
    """
    scaled = X.astype(np.float64) / (float(np.abs(X).max()) or 1.0)
    small = scaled if len(X) >= X.shape[1] else scaled.T
    variances = np.linalg.eigvalsh(small.T @ small) / len(X)
    return variances[variances > _NEGLIGIBLE * variances[-1]]


def anisotropy(variances: np.ndarray, n_samples: int) -> float:
    """Compute δ² without what few samples add to it: 0 for equal variances, 1 at most.

    Examples
    --------
    >>> anisotropy(np.ones(3), 10**9) < 1e-6, round(anisotropy(np.array([1.0, 3.0]), 10**9), 6)
    (True, 0.25)
    """
    n = len(variances)
    if n < 2:
        return 0.0
    spread = float(np.square(variances).sum() / variances.sum() ** 2) - 1 / n_samples
    return max(n * spread - 1, 0.0) / (n - 1)
