"""One page about a fitted model, which opens from disk in any browser."""

from sparsebp.report.measurements import Measurements, Summary, Track, in_silence
from sparsebp.report.page import write_page, write_report

__all__ = ["Measurements", "Summary", "Track", "in_silence", "write_page", "write_report"]
