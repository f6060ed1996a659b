"""The networks that `sparsebp derive` derives, and the command."""

from __future__ import annotations

import sys
from difflib import get_close_matches

from sparsebp.cli.choices import Style
from sparsebp.cli.endings import interruptible, say
from sparsebp.network import Network, delta_table
from sparsebp.penalties import L1, Cauchy, LogCosh, SmoothL1, Subspace, Topographic, Welsch
from sparsebp.problems import (
    ICA_RECONSTRUCTION,
    RECONSTRUCTION,
    SCALED_ICA_RECONSTRUCTION,
    WEIGHT_DECAY,
    convolutional_sparse_coding,
    sparse_filtering_network,
    sparsity_network,
)

_CONVOLUTION = convolutional_sparse_coding(L1(), 1.0, (8, 8), (64, 64)).parts[0].network

#: Name → (formula, network).
DERIVATIONS: dict[str, tuple[str, Network]] = {
    "reconstruction": ("‖As − x‖², the tutorial's example 1", RECONSTRUCTION),
    "weight-decay": ("‖A‖²", WEIGHT_DECAY),
    "convolution": ("‖A ∗ s − x‖², an image as a sum of atoms at any places", _CONVOLUTION),
    "l1": ("Σ |s|", L1().network()),
    "smooth-l1": ("Σ √(s² + ε)", SmoothL1().network()),
    "topographic": ("Σ √(V(s∘s) + ε), example 2", Topographic((3, 3)).network()),
    "subspace": ("Σ √(V(s∘s) + ε), V sums over groups", Subspace(2, 2).network()),
    "log-cosh": ("Σ log cosh s", LogCosh().network()),
    "cauchy": ("Σ log(1 + s²)", Cauchy().network()),
    "welsch": ("Σ [1 − exp(−s²/2)]", Welsch().network()),
    "ica-reconstruction": ("‖WᵀWx − x‖², example 3", ICA_RECONSTRUCTION),
    "scaled-ica-reconstruction": (
        "‖c WᵀWx − x‖², k > n unit-norm filters, c = n/k",
        SCALED_ICA_RECONSTRUCTION,
    ),
    "ica": ("Σ √((Wx)² + ε)", sparsity_network(SmoothL1())),
    "topographic-ica": ("Σ √(V(Wx∘Wx) + ε)", sparsity_network(Topographic((3, 3)))),
    "subspace-ica": ("Σ √(V(Wx∘Wx) + ε), V sums over groups", sparsity_network(Subspace(2, 2))),
    "sparse-filtering": ("Σ √((Wx)² + ε), rows, then columns", sparse_filtering_network(1e-8)),
}

#: Other names: the tutorial's examples, and models, whose objectives have several terms.
ALIASES: dict[str, tuple[str, ...]] = {
    "ex1": ("reconstruction", "weight-decay"),
    "ex2": ("topographic",),
    "ex3": ("ica-reconstruction",),
    "example-1": ("reconstruction", "weight-decay"),
    "example-2": ("topographic",),
    "example-3": ("ica-reconstruction",),
    "sparse-coding": ("reconstruction", "smooth-l1"),
    "convolutional-sparse-coding": ("convolution", "l1"),
    "topographic-coding": ("reconstruction", "topographic"),
    "rica": ("ica-reconstruction", "ica"),
    "reconstruction-ica": ("ica-reconstruction", "ica"),
    "orthonormal-ica": ("ica",),
    "tica": ("topographic-ica",),
    "isa": ("subspace-ica",),
}


def find_derivations(name: str) -> tuple[str, ...]:
    """Return the keys of `DERIVATIONS` for a name: the terms of a model, or one function.

    Case, spaces, hyphens and underscores are ignored; an unknown name is a ValueError.

    Examples
    --------
    >>> find_derivations("SmoothL1"), find_derivations("ReconstructionICA")
    (('smooth-l1',), ('ica-reconstruction', 'ica'))
    """
    known = {_bare(key): (key,) for key in DERIVATIONS}
    known |= {_bare(key): terms for key, terms in ALIASES.items()}
    if _bare(name) in known:
        return known[_bare(name)]
    names = [*DERIVATIONS, *ALIASES]
    near = get_close_matches(name.lower().replace("_", "-"), names, 3, 0.5)
    near += [key for key in names if _bare(name) and _bare(name) in _bare(key) and key not in near]
    advice = f"did you mean {' or '.join(near[:4])}? " if near else ""
    raise ValueError(f"There is no function {name!r}; {advice}`sparsebp derive` lists all.")


def _bare(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


@interruptible()
def write_derivation(name: str | None, style: Style) -> None:
    """Print the gradient of a function layer by layer; without a name, a list of the functions."""
    if name is None:
        for key, (formula, _) in DERIVATIONS.items():
            print(f"{key:26}{formula}")
        print()
        for key, terms in ALIASES.items():
            print(f"{key:26}{' and '.join(terms)}")
        return
    found = find_derivations(name)
    if style is Style.TEXT and not _can_show("∇ᵀδ⁽¹⁾∘−½"):
        say("Note:", "this terminal cannot show the formulas; try --style latex.", "yellow")
    for number, key in enumerate(found):
        if len(found) > 1:
            print("\n" * bool(number) + _heading(f"{key}: {DERIVATIONS[key][0]}", style) + "\n")
        print(delta_table(DERIVATIONS[key][1], style.value))


def _heading(text: str, style: Style) -> str:
    """Return a term's heading; in LaTeX a comment, since its formula is not LaTeX."""
    return {Style.TEXT: text, Style.MARKDOWN: f"**{text}**", Style.LATEX: f"% {text}"}[style]


def _can_show(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
