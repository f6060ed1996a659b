"""The address of the documentation, for links from estimators' HTML and from reports.

The documentation is built locally and not on the web. So there is a link only if it is built in the
clone that the package runs from, or if the variable SPARSEBP_DOCS gives its address.
"""

from __future__ import annotations

import os
from pathlib import Path

_BUILT = Path(__file__).resolve().parents[1] / "docs" / "_build" / "html"


def documentation() -> str | None:
    """Return the address of the built documentation without a final slash; None if there is none.

    It is the value of SPARSEBP_DOCS, else the pages built in this clone.
    """
    named = os.environ.get("SPARSEBP_DOCS")
    if named:
        return named.rstrip("/")
    return _BUILT.as_uri() if (_BUILT / "index.html").exists() else None


class Documented:
    """Mixin by which scikit-learn finds an estimator's page in the API reference."""

    _documented_in = "sparsebp"
    _doc_link_module = "sparsebp"

    def _get_doc_link(self) -> str:
        address, kind = documentation(), type(self)
        if address is None or kind.__module__.partition(".")[0] != self._doc_link_module:
            return ""
        return f"{address}/api/{self._documented_in}.{kind.__name__}.html"
