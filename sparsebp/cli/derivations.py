"""The networks whose gradients `sparsebp derive` writes out, and how it does so."""

from __future__ import annotations

import sys

from sparsebp.cli.choices import Style
from sparsebp.cli.endings import interruptible, say
from sparsebp.network import Network, delta_table
from sparsebp.objectives import (
    ICA_RECONSTRUCTION,
    RECONSTRUCTION,
    SCALED_ICA_RECONSTRUCTION,
    WEIGHT_DECAY,
    sparse_filtering_network,
    sparsity_network,
)
from sparsebp.penalties import L1, Cauchy, LogCosh, SmoothL1, Topographic, Welsch

#: Name → (what it is, its network).
DERIVATIONS: dict[str, tuple[str, Network]] = {
    "reconstruction": ("‖As − x‖², the tutorial's example 1", RECONSTRUCTION),
    "weight-decay": ("‖A‖²", WEIGHT_DECAY),
    "l1": ("Σ |s|", L1().network()),
    "smooth-l1": ("Σ √(s² + ε)", SmoothL1().network()),
    "topographic": ("Σ √(V(s∘s) + ε), example 2", Topographic((3, 3)).network()),
    "log-cosh": ("Σ log cosh s", LogCosh().network()),
    "cauchy": ("Σ log(1 + s²)", Cauchy().network()),
    "welsch": ("Σ [1 − exp(−s²/2)]", Welsch().network()),
    "ica-reconstruction": ("‖WᵀWx − x‖², example 3", ICA_RECONSTRUCTION),
    "scaled-ica-reconstruction": (
        "‖c WᵀWx − x‖², k > n filters of length one, c = n/k",
        SCALED_ICA_RECONSTRUCTION,
    ),
    "ica": ("Σ √((Wx)² + ε)", sparsity_network(SmoothL1())),
    "topographic-ica": ("Σ √(V(Wx∘Wx) + ε)", sparsity_network(Topographic((3, 3)))),
    "sparse-filtering": ("Σ √((Wx)² + ε), rows, then columns", sparse_filtering_network(1e-8)),
}


@interruptible()
def write_derivation(name: str | None, style: Style) -> None:
    """Print the gradient of a function layer by layer, or the functions there are.

    Parameters
    ----------
    name : str or None
        One of `DERIVATIONS`; None lists them.
    style : Style
        What to write.

    Raises
    ------
    ValueError
        If there is no such function.
    """
    if name is None:
        for key, (formula, _) in DERIVATIONS.items():
            print(f"{key:26}{formula}")
        return
    if name not in DERIVATIONS:
        raise ValueError(f"There is no {name!r}; choose one of {', '.join(DERIVATIONS)}.")
    if style is Style.TEXT and not _can_show("∇ᵀδ⁽¹⁾∘−½"):
        say("Note:", "this terminal cannot show the formulas; try --style latex.", "yellow")
    print(delta_table(DERIVATIONS[name][1], style.value))


def _can_show(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
