"""Whitening of whole images by a filter that flattens their 1/f spectrum."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sparsebp._checks import check_choice, check_flag, check_number
from sparsebp._magnitudes import ignore_float_warnings, largest_magnitude, require_finite
from sparsebp.preprocessing._arrays import are_movies, check_images, check_movies


def whiten_images(
    images: Iterable[Any],
    *,
    cutoff: float = 0.4,
    boundary: str = "mirror",
    unit_variance: bool = True,
) -> list[NDArray[Any]]:
    """Whiten images by the filter rho exp(-(rho / cutoff)^4) of Olshausen and Field.

    The amplitude spectrum of a natural image falls about as 1 / rho. Multiplication by rho makes
    it flat, and the exponential takes away the highest frequencies, which are mostly noise and
    artifacts of the pixel grid. If `unit_variance` is true, all images are divided by one number
    afterwards.

    Parameters
    ----------
    images : sequence of array-like, each (height, width) or (height, width, 3)
        All gray or all color. Their sizes may differ. Each channel of a color image is filtered
        on its own. Integer images are converted to float64. Also movies or stereo pairs, each
        (frames, height, width) or (frames, height, width, 3): each frame is filtered on its own.
    cutoff : float, default=0.4
        Frequency where the filter falls off, in cycles per pixel, > 0. The published value is 200
        cycles per picture of 512 pixels.
    boundary : {"mirror", "wrap"}, default="mirror"
        Continuation beyond the border. "wrap" is the published filter: the opposite border, which
        causes lines along both if they differ. "mirror" continues the image by its mirror image,
        without a jump.
    unit_variance : bool, default=True
        Whether all filtered images are divided by one number, so that their variances are 1 on
        average (the published program makes it 0.1: multiply by sqrt(0.1)). If False, an image
        does not depend on the others, and its units are those of `images`.

    Returns
    -------
    list of ndarray
        The whitened images, of mean zero and of the shapes of `images`; float32 where the image
        is float32, else float64. A constant image among others becomes zero.

    Raises
    ------
    TypeError
        If `images` is not a sequence, `cutoff` is not a number, or `unit_variance` is not a bool.
    ValueError
        If there is no image, an image is not finite or has a wrong shape, `cutoff` or `boundary`
        is not one of the values above, all images are constant, or `unit_variance` is true and
        `cutoff` removes everything.

    References
    ----------
    B. A. Olshausen, D. J. Field, "Emergence of simple-cell receptive field properties by learning
    a sparse code for natural images", Nature 381, 1996; and "Sparse coding with an overcomplete
    basis set: a strategy employed by V1?", Vision Research 37, 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.preprocessing import whiten_images
    >>> rows, columns = np.mgrid[:64, :64]
    >>> slow, fast = whiten_images([np.sin(0.1 * rows), np.sin(0.4 * columns)])
    >>> bool(np.isclose((slow.var() + fast.var()) / 2, 1)), bool(fast.std() > 3 * slow.std())
    (True, True)
    """
    if isinstance(images, Iterator):
        images = list(images)
    if are_movies(images):
        movies = check_movies(images)
        frames = [frame for movie in movies for frame in movie]
        options: Any = {"cutoff": cutoff, "boundary": boundary, "unit_variance": unit_variance}
        white = iter(whiten_images(frames, **options))
        return [np.stack([next(white) for _ in movie]) for movie in movies]
    checked = check_images(images)
    cutoff = check_number("cutoff", cutoff, above=0)
    filters = {"mirror": _filter_mirrored, "wrap": _filter_wrapped}
    check_choice("boundary", boundary, filters)
    check_flag("unit_variance", unit_variance)
    shifted = [_without_corner(image) for image in checked]
    peaks = [largest_magnitude(image) for image in shifted]
    if not any(peaks):
        raise ValueError("images are all constant: whitening needs an image with some contrast")
    # Also scaled before, so that squares of tiny or huge pixels stay in range.
    scales = [max(peaks) if unit_variance else peak or 1.0 for peak in peaks]
    whitened = []
    for image, scale in zip(shifted, scales, strict=True):
        with ignore_float_warnings():  # with one image of huge numbers, others underflow
            whitened.append(filters[boundary](image / image.dtype.type(scale), cutoff))
    if unit_variance:
        return _with_unit_variance(whitened, cutoff)
    return [i * i.dtype.type(scale) for i, scale in zip(whitened, scales, strict=True)]


def _with_unit_variance(whitened: list[NDArray[Any]], cutoff: float) -> list[NDArray[Any]]:
    power = float(np.mean([image.var(dtype=np.float64) for image in whitened]))
    if power == 0:
        raise ValueError(
            f"cutoff={cutoff!r} removes everything from the images: give more cycles per pixel"
        )
    return [image / image.dtype.type(np.sqrt(power)) for image in whitened]


def _without_corner(image: NDArray[Any]) -> NDArray[Any]:
    # The filter removes any constant. Removing it before makes constant images exactly zero.
    dtype = np.float32 if image.dtype == np.float32 else np.float64
    with ignore_float_warnings():
        shifted = image.astype(dtype) - image[:1, :1].astype(dtype)
    return require_finite("The differences of pixels", shifted, "images")


def _filter_wrapped(image: NDArray[Any], cutoff: float) -> Any:
    height, width = image.shape[:2]
    response = _response(fft.fftfreq(height), fft.rfftfreq(width), cutoff, image)
    spectrum = fft.rfft2(image, axes=(0, 1)) * response
    return fft.irfft2(spectrum, s=(height, width), axes=(0, 1))


def _filter_mirrored(image: NDArray[Any], cutoff: float) -> Any:
    # The cosine transform is the Fourier transform of the mirrored image, at a quarter of the work.
    rows, columns = (np.arange(size) / (2 * size) for size in image.shape[:2])
    spectrum = fft.dctn(image, type=2, axes=(0, 1)) * _response(rows, columns, cutoff, image)
    return fft.idctn(spectrum, type=2, axes=(0, 1))


def _response(
    rows: NDArray[Any], columns: NDArray[Any], cutoff: float, image: NDArray[Any]
) -> NDArray[Any]:
    rho = np.hypot(rows[:, np.newaxis], columns)
    response = (rho * np.exp(-((rho / cutoff) ** 4))).astype(image.dtype)
    return response[..., np.newaxis] if image.ndim == 3 else response
