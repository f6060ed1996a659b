"""The command `sparsebp`; besides the scripts, the only module that prints."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)


def main() -> None:
    """Run the command line."""
    from sparsebp.cli.endings import leave_on_interrupt

    leave_on_interrupt()  # before what takes time to load
    from sparsebp.cli.app import run

    run()
