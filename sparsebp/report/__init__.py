"""HTML reports on fitted models, and tables of several models."""

from sparsebp.report.comparison import Comparison, compare_models
from sparsebp.report.measurements import Measurements, Summary, Track, no_progress
from sparsebp.report.page import write_page, write_report

__all__ = [
    "Comparison",
    "Measurements",
    "Summary",
    "Track",
    "compare_models",
    "no_progress",
    "write_page",
    "write_report",
]
