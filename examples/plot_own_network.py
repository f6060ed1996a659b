"""
Your own network
================

The gradient of any function that can be written as layers is derived, on paper and for an
optimizer. Here it is a sparse autoencoder of handwritten digits, x → U σ(Wx − b), with a penalty on
the activity of its units.
"""

# %%
# In a layer the activation comes first, then the weight: a = f(z), and the next layer's z is W a. A
# bias is subtracted. The samples x are the input and the target.

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
)
from sparsebp.problems import Objective, Term

hidden = [Layer(Parameter("W"), Linear()), Layer(Identity(), Subtract("b", repeated=True))]
compared = [Layer(Identity(), Subtract("x")), Layer(None, Square())]
reconstruction = Network("x", [*hidden, Layer(Parameter("U"), Sigmoid()), *compared])
activity = Network("x", [*hidden, Layer(None, Sigmoid())])
decay = [Network(name, [Layer(None, Square())]) for name in ("W", "U")]
print(delta_table(reconstruction))

# %%
# The objective is a weighted sum of the networks: reconstruction error, activity of the units, and
# weight decay. ``Objective`` adds up their values and gradients, and stores W, U and b in one flat
# vector, as optimizers require.


def autoencoder(x, n_hidden, sparsity=0.3, decay_weight=1e-3):
    """Return the objective in W, U and b, for samples in columns."""
    n_features, n_samples = x.shape
    free = {"W": (n_hidden, n_features), "U": (n_features, n_hidden), "b": (n_hidden, 1)}
    terms = [
        Term(1 / n_samples, reconstruction, {"x": x}),
        Term(sparsity / n_samples, activity, {"x": x}),
        *(Term(decay_weight, network) for network in decay),
    ]
    return Objective(free, terms)


# %%
# First the gradient check, on a small problem; then the minimization. Large biases keep the
# activity low at the start.

x = load_digits().data.T / 16
x -= x.mean(axis=1, keepdims=True)
rng = np.random.default_rng(0)
small = autoencoder(x[20:26, :7], 4)
error = check_gradient(small.value_and_gradient, rng.normal(size=2 * 4 * 6 + 4))
print(f"relative error of the gradient: {error:.0e}")

objective = autoencoder(x, 36)
W, U = 0.1 * rng.normal(size=(36, 64)), 0.1 * rng.normal(size=(64, 36))
start = objective.pack({"W": W, "U": U, "b": np.ones((36, 1))})
search = {"jac": True, "method": "L-BFGS-B", "options": {"maxiter": 150}}
found = minimize(objective.value_and_gradient, start, **search)
print(f"the objective fell from {objective.value_and_gradient(start)[0]:.1f} to {found.fun:.1f}")

# %%
# What each unit adds to a digit, the columns of U: positive and negative strokes.

BasisDisplay(objective.unpack(found.x)["U"].T).plot()
