"""Maps of a photograph for given atoms, to the same objective as SPORCO's."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.data import atoms_from, patches, photographs
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import Trail, race
from sparsebp.coding import KnownImage, encode_maps
from sparsebp.penalties import L1
from sparsebp.preprocessing import whiten_images

_SIDE, _ALPHA = 8, 1.0
#: An objective has been reached if it is this close, relatively.
_CLOSE = 1e-2


def convolutional_maps(setting: Setting) -> list[Record]:
    """Compare the times to an objective of the maps of one image, whose borders are masked.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each method of SPORCO: accelerated proximal gradient and ADMM with a mask.
    """
    size, n_atoms, limit = setting.size((256, 64, setting.seconds), (20, 8, 1.0))
    (whole,) = whiten_images([photographs(setting.images)[0][:size, :size]])
    image = KnownImage.of(whole.astype(np.float32)[..., np.newaxis], (_SIDE, _SIDE, 1))
    basis = atoms_from(patches(_SIDE, 2 * n_atoms, setting.images), n_atoms).astype(np.float32)
    encode = partial(encode_maps, image, basis, L1(), _ALPHA, tol=1e-3)
    ours = race({"sparsebp": encode}, setting.repeats)["sparsebp"]
    objective = partial(_objective, image, basis)
    value = objective(encode().points)
    work = f"convolutional maps, {size} × {size}, {n_atoms} atoms, masked borders"
    methods = {"SPORCO, proximal gradient": "pgm", "SPORCO, ADMM": "admm"}
    if not peers.installed("sporco"):
        return [Record.missing(work, name) for name in methods]
    records = []
    for name, method in methods.items():
        curve = _maps_of_sporco(method, image, basis, limit).curve(objective)
        note = f"objective {value:.5g}, theirs {curve.best:.5g} in {curve.seconds[-1]:.0f} s"
        theirs = curve.reaches(value * (1 + _CLOSE))
        records.append(Record(work, name, ours, theirs, target=3, note=note))
    return records


def _objective(image: KnownImage, basis: np.ndarray, maps: np.ndarray) -> float:
    known = {**image.variables, "A": basis, "s": maps}
    return image.problem(L1(), _ALPHA).value(known, scale=1)


def _maps_of_sporco(method: str, image: KnownImage, basis: np.ndarray, limit: float) -> Trail:
    """Return the maps on the way of SPORCO, for ½‖·‖² and λ = α / 2, on a padded image.

    Its maps are as large as the padded image, and wrap around to where the mask is zero: rolled by
    an atom minus one pixel they are those of the image.
    """
    border = _SIDE - 1
    padded, mask = (
        np.pad(values, ((0, border), (0, border)))
        for values in (image.pixels[..., 0], np.ones_like(image.pixels[..., 0]))
    )
    atoms = basis.reshape(_SIDE, _SIDE, -1)
    trail = Trail(limit, growth=1.2)

    def keep(solver: Any) -> bool:
        maps = np.roll(np.squeeze(solver.getcoef()), (border, border), axis=(0, 1))
        return trail.keep(maps.reshape(-1, basis.shape[1]).T)

    options = {"MaxMainIter": 100_000, "RelStopTol": 1e-6, "Callback": keep}
    solver = _solver(method, (atoms, padded, _ALPHA / 2), mask, options)
    solver.solve()
    return trail


def _solver(method: str, problem: tuple, mask: np.ndarray, options: dict[str, Any]) -> Any:
    if method == "pgm":
        from sporco.pgm.backtrack import BacktrackStandard
        from sporco.pgm.cbpdn import ConvBPDNMask

        options = {**options, "L": 10.0, "Backtrack": BacktrackStandard()}
        return ConvBPDNMask(*problem, mask, ConvBPDNMask.Options(options))
    from sporco.admm.cbpdn import ConvBPDNMaskDcpl

    return ConvBPDNMaskDcpl(*problem, mask, ConvBPDNMaskDcpl.Options(options))
