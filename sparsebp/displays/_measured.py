"""The base of displays of one measure of filters that is taken when they are made."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike

from sparsebp._checks import check_matrix
from sparsebp._shapes import PatchShape, given_or_kept, resolved_patch_shape
from sparsebp.displays._features import learned_features


class MeasuredDisplay:
    """Base of displays that measure a tuning of filters; subclasses define `_measure`."""

    def __init__(self, components: ArrayLike, patch_shape: PatchShape = None) -> None:
        self.components = check_matrix("components", components)
        self.patch_shape = resolved_patch_shape(self.components.shape[1], patch_shape)
        self.tuning = self._measure()

    def _measure(self) -> Any:
        raise NotImplementedError

    @classmethod
    def from_estimator(cls, estimator: Any, *, patch_shape: PatchShape = None) -> Self:
        """Take the features of a fitted estimator, or of a pipeline.

        Parameters
        ----------
        estimator : object with ``components_``, or with ``steps`` as a scikit-learn Pipeline
            What `BasisDisplay.from_estimator` draws is measured.
        patch_shape : int or tuple of int, default None
            None takes that of the estimator, if it was given one.

        Raises
        ------
        AttributeError
            If the estimator is not fitted, or a step of the pipeline has no inverse.
        ValueError
            As for the constructor.
        """
        components, _ = learned_features(estimator)
        return cls(components, given_or_kept(patch_shape, estimator))
