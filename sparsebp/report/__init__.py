"""One page about a fitted model, which opens from disk in any browser."""

from sparsebp.report.page import write_report

__all__ = ["write_report"]
