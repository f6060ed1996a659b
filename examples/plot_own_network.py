"""
A network of your own
=====================

Any function that can be written as layers has its gradient derived: on paper, and for an
optimiser. Here it is a sparse autoencoder of handwritten digits, x → U σ(Wx − b), whose units are
kept quiet.
"""

# %%
# In a layer the activation comes first, then the weight: a = f(z), and the next layer's z is W a.
# A bias is what is subtracted. The samples x are the input, and what the output is compared with.

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits

from sparsebp.displays import BasisDisplay
from sparsebp.network import (
    Identity,
    Layer,
    Linear,
    Network,
    Parameter,
    Sigmoid,
    Square,
    Subtract,
    check_gradient,
    delta_table,
    value_and_gradients,
)

hidden = [Layer(Parameter("W"), Linear()), Layer(Identity(), Subtract("b"))]
compared = [Layer(Identity(), Subtract("x")), Layer(None, Square())]
reconstruction = Network("x", [*hidden, Layer(Parameter("U"), Sigmoid()), *compared])
activity = Network("x", [*hidden, Layer(None, Sigmoid())])
decay = [Network(name, [Layer(None, Square())]) for name in ("W", "U")]
print(delta_table(reconstruction))

# %%
# The objective is a weighted sum of the networks: how far the output is from the digit, how active
# the units are, how large the weights. An optimiser gives it one flat vector.


class Autoencoder:
    """Value and gradient of the autoencoder at a flat vector of W, U and b."""

    def __init__(self, x, n_hidden, quiet, small):
        n_features, n_samples = x.shape
        self.x = x
        self.shapes = {"W": (n_hidden, n_features), "U": (n_features, n_hidden), "b": (n_hidden, 1)}
        self.terms = [(1 / n_samples, reconstruction), (quiet / n_samples, activity)]
        self.terms += [(small, network) for network in decay]

    def split(self, flat):
        """Return W, U and b by name."""
        ends = np.cumsum([rows * columns for rows, columns in self.shapes.values()])[:-1]
        parts = zip(self.shapes.items(), np.split(flat, ends), strict=True)
        return {name: part.reshape(shape) for (name, shape), part in parts}

    def __call__(self, flat):
        variables = {**self.split(flat), "x": self.x}
        total, slopes = 0.0, dict.fromkeys(self.shapes, 0.0)
        for weight, network in self.terms:
            own = [name for name in self.shapes if name in network.names]
            value, gradients = value_and_gradients(network, variables, own)
            total += weight * value
            for name in own:
                slopes[name] = slopes[name] + weight * gradients[name]
        return total, np.concatenate([slope.ravel() for slope in slopes.values()])


# %%
# First the check, at a small point; then the search. Large biases keep the units quiet at the
# start.

x = load_digits().data.T / 16
x -= x.mean(axis=1, keepdims=True)
rng = np.random.default_rng(0)
small = Autoencoder(x[20:26, :7], 4, 0.3, 1e-3)
print(f"the gradient is off by {check_gradient(small, rng.normal(size=2 * 4 * 6 + 4)):.0e}")

objective = Autoencoder(x, 36, 0.3, 1e-3)
start = np.concatenate([0.1 * rng.normal(size=2 * 36 * 64), np.ones(36)])
found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 150})
print(f"the objective fell from {objective(start)[0]:.1f} to {found.fun:.1f}")

# %%
# What each unit adds to a digit, the columns of U: strokes, and strokes that are not there.

BasisDisplay(objective.split(found.x)["U"].T).plot()
