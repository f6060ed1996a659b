"""The base of displays of one measure of filters that is taken when they are made."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike

from sparsebp._checks import mistake
from sparsebp._shapes import PatchShape, given_or_kept, resolved_patch_shape
from sparsebp.displays._features import check_components, learned_features


class MeasuredDisplay:
    """Base of displays that measure a tuning of filters; subclasses define `_measure`."""

    #: The shape of patches that has to be given, if it is none of square patches, and why.
    _shape_needed: ClassVar[tuple[str, str] | None] = None

    def __init__(self, components: ArrayLike, patch_shape: PatchShape = None) -> None:
        self.components = check_components(components, type(self).__name__)
        if patch_shape is None and self._shape_needed is not None:
            wanted, why = self._shape_needed
            fix = f" A square patch {why}; give the shape here, or to the estimator."
            raise ValueError(mistake("patch_shape", wanted, None, fix))
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
