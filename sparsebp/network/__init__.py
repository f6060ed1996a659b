"""Matrix functions as layered networks: value, gradients, and the derivation on paper.

A function is a chain of layers (weight, activation) with a sum at its end. Run forward it gives
the value, backward the gradient in any weight or in the input. NumPy is all it needs.
"""

from sparsebp.network.activations import (
    Absolute,
    Activation,
    Add,
    Chain,
    Linear,
    Log1pSquare,
    OneMinusGaussian,
    Root,
    ScaledLogCosh,
    Sigmoid,
    Square,
    Tanh,
)
from sparsebp.network.backprop import Tree, backpropagate, checked_variables, value_and_gradients
from sparsebp.network.check import check_gradient
from sparsebp.network.convolution import Convolution
from sparsebp.network.delta_table import delta_table
from sparsebp.network.derivation import Derivation, derive
from sparsebp.network.network import Layer, Network
from sparsebp.network.normalizations import NormalizeColumns, NormalizeRows
from sparsebp.network.notation import Formula
from sparsebp.network.operations import Multiply, Subtract
from sparsebp.network.simplify import simplified
from sparsebp.network.weights import Identity, Parameter

__all__ = [
    "Absolute",
    "Activation",
    "Add",
    "Chain",
    "Convolution",
    "Derivation",
    "Formula",
    "Identity",
    "Layer",
    "Linear",
    "Log1pSquare",
    "Multiply",
    "Network",
    "NormalizeColumns",
    "NormalizeRows",
    "OneMinusGaussian",
    "Parameter",
    "Root",
    "ScaledLogCosh",
    "Sigmoid",
    "Square",
    "Subtract",
    "Tanh",
    "Tree",
    "backpropagate",
    "check_gradient",
    "checked_variables",
    "delta_table",
    "derive",
    "simplified",
    "value_and_gradients",
]
