"""Fitted Gabor functions, and the standard measures derived from them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._cached import cached_property
from sparsebp._tables import Table
from sparsebp.metrics._gabor_model import gabor_pair
from sparsebp.metrics._gabor_search import frequency_limit
from sparsebp.metrics._gabor_spectrum import bandwidth_octaves, peak_frequency
from sparsebp.metrics._gabor_uncertainty import GaborUncertainty, uncertainty

#: A fit is well determined if its orientation is certain to this many radians and its frequency to
#: this many octaves.
ORIENTATION_LIMIT = np.pi / 12
FREQUENCY_LIMIT = 0.5
#: By how much an angle of 0 may fall short of it, in radians, without becoming almost pi.
_ROUNDING = 1e-9


def half_turns(angle: NDArray) -> NDArray[np.float64]:
    """Return how many half turns lie between 0 and angles."""
    return np.floor((angle + _ROUNDING) / np.pi)


def within_half_turn(angle: NDArray) -> NDArray[np.float64]:
    """Return angles modulo pi, in [0, pi)."""
    return np.maximum(angle - half_turns(angle) * np.pi, 0.0)


@dataclass(frozen=True, eq=False, repr=False)
class GaborFit(Table):
    """Least-squares Gabor functions of filters, one entry of each array per filter.

    With x the column and y the row of a pixel, counted from 0 at the first pixel,
    u = (x - center_x) cos(orientation) + (y - center_y) sin(orientation) runs along the wave,
    v = (y - center_y) cos(orientation) - (x - center_x) sin(orientation) across it, and

    fit = offset + amplitude exp(-u^2 / (2 along^2) - v^2 / (2 across^2))
    cos(2 pi carrier u + phase).

    The carrier is not the frequency that the filter prefers: an edge, half a dark bar beside half
    a bright one, has a carrier near zero, since the envelope makes its two halves. `frequency` is
    where the spectrum of the function peaks, and what maps and other displays show.

    Attributes
    ----------
    r_squared : ndarray of shape (n_filters,)
        1 - SS_res / SS_tot in [0, 1], SS_tot being about the filter's mean; 0 for a constant
        filter.
    orientation : ndarray of shape (n_filters,)
        Direction of the wave (perpendicular to the bars), radians in
        [0, pi), from the direction of growing columns towards the direction of growing rows.
    carrier : ndarray of shape (n_filters,)
        Cycles per pixel; no higher than a pixel grid can carry in this direction.
    phase : ndarray of shape (n_filters,)
        Radians in [-pi, pi]; 0 is a bright bar at the center, -pi / 2 an edge.
    center : ndarray of shape (n_filters, 2)
        Row and column in pixels; at most half a patch outside the patch.
    sigma : ndarray of shape (n_filters, 2)
        Standard deviations of the envelope in pixels, along and across the wave; from 0.4 to
        twice the patch's longer side.
    amplitude : ndarray of shape (n_filters,)
        Not negative; 0 for a constant filter.
    offset : ndarray of shape (n_filters,)
        Constant added to the Gabor function.
    patch_shape : tuple (height, width)
    """

    r_squared: NDArray[np.float64]
    orientation: NDArray[np.float64]
    carrier: NDArray[np.float64]
    phase: NDArray[np.float64]
    center: NDArray[np.float64]
    sigma: NDArray[np.float64]
    amplitude: NDArray[np.float64]
    offset: NDArray[np.float64]
    patch_shape: tuple[int, int]

    @property
    def bar_angle(self) -> NDArray[np.float64]:
        """Angle of each filter's bars as pictures show them, counter-clockwise from horizontal.

        Radians in [0, pi), of shape (n_filters,).
        """
        return within_half_turn(np.pi / 2 - self.orientation)

    @cached_property
    def frequency(self) -> NDArray[np.float64]:
        """Frequency at which the spectrum of the fitted function peaks, of shape (n_filters,).

        Cycles per pixel, along the wave; no higher than a pixel grid can carry in this direction,
        and 0 for a blob.
        """
        peak = peak_frequency(self.carrier, self.sigma[:, 0], self.phase)
        return np.minimum(peak, frequency_limit(self.orientation))

    @cached_property
    def bandwidth(self) -> NDArray[np.float64]:
        """Octaves between the frequencies with half the peak's amplitude, of shape (n_filters,).

        log2(high / low) of the fitted function's spectrum along the wave; infinite where the
        amplitude is more than half the peak's all the way down to frequency zero.
        """
        return bandwidth_octaves(self.carrier, self.sigma[:, 0], self.phase)

    @cached_property
    def aspect_ratio(self) -> NDArray[np.float64]:
        """Length over width of the envelope: sigma across the wave / sigma along it."""
        return self.sigma[:, 1] / self.sigma[:, 0]

    @cached_property
    def n_x(self) -> NDArray[np.float64]:
        """Ringach's n_x = sigma along the wave · frequency: how many cycles there are.

        Of shape (n_filters,), without a unit, as all of Ringach (2002): sigma is the envelope's
        standard deviation. 0 for a blob, 1 / (2 pi) for the derivative of a Gaussian, more for
        more stripes.
        """
        return self.sigma[:, 0] * self.frequency

    @cached_property
    def n_y(self) -> NDArray[np.float64]:
        """Ringach's n_y = sigma across the wave · frequency: how long the stripes are."""
        return self.sigma[:, 1] * self.frequency

    @cached_property
    def uncertainty(self) -> GaborUncertainty:
        """Uncertainty of orientation, frequency, center and sigma.

        Each number is how far that parameter can change, with the others adapted, until the fit
        explains 1 % less of the filter's variance, to first order.
        """
        wave = np.stack([np.cos(self.phase), -np.sin(self.phase)], axis=1)
        weights = (self.amplitude > 0)[:, None] * wave
        return uncertainty(self._parameters(), weights, self.r_squared, self.patch_shape)

    @cached_property
    def well_determined(self) -> NDArray[np.bool_]:
        """Whether orientation is certain to 15° and frequency to half an octave.

        By `uncertainty`; of shape (n_filters,). Maps leave out what is not. These are blobs, and
        filters with less than a cycle in the patch, such as step edges and bars cut by the border:
        their orientation may be certain, but lower frequencies down to 0 explain as much.
        """
        found = self.uncertainty
        return (found.orientation <= ORIENTATION_LIMIT) & (found.frequency <= FREQUENCY_LIMIT)

    def _parameters(self) -> NDArray[np.float64]:
        return np.column_stack([self.center, self.orientation, self.carrier, np.log(self.sigma)])

    def to_dict(self) -> dict[str, NDArray]:
        """Return a column of numbers for each quantity, in the units above.

        Returns
        -------
        columns : dict of str to ndarray of shape (n_filters,)
            r_squared, well_determined, orientation, bar_angle, frequency, bandwidth, phase, row,
            column, sigma_along, sigma_across, aspect_ratio, n_x, n_y, carrier, amplitude, offset,
            and the uncertainties of orientation and frequency.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.metrics import gabor_fit
        >>> list(gabor_fit(np.eye(2, 36), (6, 6)).to_dict())[:4]
        ['r_squared', 'well_determined', 'orientation', 'bar_angle']
        """
        whole = ("r_squared", "well_determined", "orientation", "bar_angle", "frequency")
        derived = ("aspect_ratio", "n_x", "n_y", "carrier", "amplitude", "offset")
        place = {"row": self.center[:, 0], "column": self.center[:, 1]}
        widths = {"sigma_along": self.sigma[:, 0], "sigma_across": self.sigma[:, 1]}
        return {
            **{name: getattr(self, name) for name in (*whole, "bandwidth", "phase")},
            **place,
            **widths,
            **{name: getattr(self, name) for name in derived},
            "orientation_uncertainty": self.uncertainty.orientation,
            "frequency_uncertainty": self.uncertainty.frequency,
        }

    def render(self) -> NDArray[np.float64]:
        """Draw the fitted functions, offset included.

        Returns
        -------
        images : ndarray of shape (n_filters, height * width)

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.metrics import gabor_fit
        >>> bar = np.outer(np.ones(6), [0.0, -1, 2, -1, 0, 0]).reshape(1, -1)
        >>> gabor_fit(bar, (6, 6)).render().shape
        (1, 36)
        """
        pair = gabor_pair(self._parameters(), self.patch_shape)
        cosine, sine = (self.amplitude * wave(self.phase) for wave in (np.cos, np.sin))
        return self.offset[:, None] + cosine[:, None] * pair[:, 0] - sine[:, None] * pair[:, 1]


def check_fit(fit: Any) -> None:
    """Raise an error unless fit is the result of `gabor_fit`."""
    if not isinstance(fit, GaborFit):
        raise TypeError(f"fit is of type {type(fit).__name__}; give the result of gabor_fit.")
