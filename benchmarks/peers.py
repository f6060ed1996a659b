"""Other libraries for ICA, each configured as its documentation recommends.

Samples are rows. `installed` returns whether an optional library is available.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.decomposition import FastICA

from benchmarks.timing import Trail


def installed(module: str) -> bool:
    """Return whether a library is there.

    Parameters
    ----------
    module : str
        As it is imported.
    """
    return find_spec(module) is not None


def torch_reconstruction(
    X: np.ndarray, w: np.ndarray, alpha: float, epsilon: float, n_threads: int
) -> tuple[Any, Callable[[], Any]]:
    """Set reconstruction ICA up in PyTorch.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples; their precision is that of the computation.
    w : ndarray of shape (n_components, n_features)
        The filters.
    alpha, epsilon : float
        Weight and smoothing of the penalty.
    n_threads : int
        Threads that PyTorch may use.

    Returns
    -------
    filters : torch.Tensor
        The free matrix.
    evaluate : callable
        Computes the value and leaves the gradient, by autograd, in ``filters.grad``.
    """
    import torch

    torch.set_num_threads(n_threads)
    samples = torch.from_numpy(X)
    filters = torch.tensor(w.astype(X.dtype), requires_grad=True)

    def evaluate() -> Any:
        filters.grad = None
        z = samples @ filters.T
        loss = ((z @ filters - samples) ** 2).sum() + alpha * torch.sqrt(z**2 + epsilon).sum()
        loss = loss / len(samples)
        loss.backward()
        return loss

    return filters, evaluate


def torch_lbfgs(filters: Any, evaluate: Callable[[], Any], trail: Trail) -> None:
    """Minimize by PyTorch's L-BFGS with its strong Wolfe line search.

    Parameters
    ----------
    filters : torch.Tensor
        The free matrix, changed in place.
    evaluate : callable
        From `torch_reconstruction`.
    trail : Trail
        Notes the points evaluated; says when to stop.
    """
    import torch

    optimizer = torch.optim.LBFGS(
        [filters], history_size=10, max_iter=20, line_search_fn="strong_wolfe"
    )

    def closure() -> Any:
        loss = evaluate()
        trail.keep(filters.detach().numpy())
        return loss

    before, value = np.inf, optimizer.step(closure).item()
    while value < before and not trail.keep(filters.detach().numpy()):
        before, value = value, optimizer.step(closure).item()
    trail.keep(filters.detach().numpy(), always=True)


def fast_ica(X: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return the filters of scikit-learn's FastICA for white samples.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        White samples.
    w : ndarray of shape (n_features, n_features)
        Where to begin.
    """
    model = FastICA(
        algorithm="parallel",
        fun="logcosh",
        whiten="unit-variance",
        whiten_solver="eigh",  # advised where samples are many times more than features
        w_init=w,
        random_state=0,
    )
    return model.fit(X).components_


def picard_o(X: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return the filters of Picard-O for white samples.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        White samples.
    w : ndarray of shape (n_features, n_features)
        Where to begin, orthonormal.
    """
    from picard import picard

    return picard(X.T, fun="tanh", ortho=True, extended=False, whiten=False, w_init=w)[1]
