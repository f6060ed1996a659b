"""The rows of the comparison: each maps a `Setting` to records."""

from collections.abc import Callable

from benchmarks.records import Record
from benchmarks.rows.codes import exact_codes, few_codes, pursuits
from benchmarks.rows.coding import sparse_coding, tutorial_exercise
from benchmarks.rows.convolutional import convolutional_maps
from benchmarks.rows.gradients import engine_overhead, reconstruction_gradient
from benchmarks.rows.ica import orthonormal_ica, reconstruction_ica
from benchmarks.rows.images import feature_maps, gabor_fits, inpainting
from benchmarks.rows.memory import peak_memory
from benchmarks.rows.places import places
from benchmarks.rows.recovery import planted_by_pursuit, planted_dictionary
from benchmarks.rows.smooth import smooth_codes
from benchmarks.rows.stores import stored_samples
from benchmarks.rows.stream import streamed_patches
from benchmarks.rows.threads import thread_scaling
from benchmarks.setting import Setting

ROWS: dict[str, Callable[[Setting], list[Record]]] = {
    "engine": engine_overhead,
    "gradient": reconstruction_gradient,
    "rica": reconstruction_ica,
    "ica": orthonormal_ica,
    "coding": sparse_coding,
    "exercise": tutorial_exercise,
    "codes": exact_codes,
    "smooth": smooth_codes,
    "few": few_codes,
    "pursuit": pursuits,
    "planted": planted_dictionary,
    "planted-pursuit": planted_by_pursuit,
    "gabor": gabor_fits,
    "inpaint": inpainting,
    "maps": feature_maps,
    "convolutional": convolutional_maps,
    "memory": peak_memory,
    "threads": thread_scaling,
    "places": places,
    "stores": stored_samples,
    "stream": streamed_patches,
}

__all__ = ["ROWS"]
