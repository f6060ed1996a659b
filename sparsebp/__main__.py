"""``python -m sparsebp`` is the command `sparsebp`."""

from sparsebp.cli import main

main()
