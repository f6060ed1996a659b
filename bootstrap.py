"""Set everything up in a fresh clone, then run a command: needs only Python and git.

    python3 bootstrap.py learn [options]   learn features (options as for `sparsebp learn`)
    python3 bootstrap.py test [options]    run the tests (options as for pytest)

The first call makes a virtual environment in .venv (or where SPARSEBP_VENV says) and installs
the package into it; later calls take what is there unless pyproject.toml has changed.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def environment() -> Path:
    """Make the environment if need be; return the folder of its programs."""
    place = Path(os.environ.get("SPARSEBP_VENV", ROOT / ".venv")).absolute()
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    stamp = place / "sparsebp-installed"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return programs
    print(f"Setting up {place} (once, about a minute) …", file=sys.stderr)
    if not (place / "pyvenv.cfg").exists():
        if place.exists() and any(place.iterdir()):
            sys.exit(f"{place} is not empty and no environment; name another in SPARSEBP_VENV.")
        venv.create(place, with_pip=True)
    # A plain path entry: with setuptools' import hook, a clone named sparsebp would hide the
    # package from a Python started beside it.
    install = [programs / "python", "-m", "pip", "install", "--quiet", "--editable", ".[test]"]
    install += ["--config-settings", "editable_mode=compat"]
    subprocess.run(install, cwd=ROOT, check=True)
    stamp.write_text(wanted)
    return programs


def main() -> int:
    """Run what the command line asks for."""
    if sys.version_info < (3, 11):
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
        return 2
    task, *options = sys.argv[1:] or ["--help"]
    if task not in ("learn", "test"):
        print(__doc__)
        return 0 if task in ("-h", "--help") else 2
    try:
        programs = environment()
    except subprocess.CalledProcessError as error:
        return error.returncode
    if task == "learn":
        command = [programs / "python", "-m", "sparsebp", "learn", *options]
        return subprocess.run(command).returncode
    command = [programs / "python", "-m", "pytest", "--numprocesses", "auto", *options]
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # in each process
    compiled_once = {"PYTHONDONTWRITEBYTECODE": ""}  # for all processes
    variables = {**os.environ, **one_thread, **compiled_once}
    return subprocess.run(command, cwd=ROOT, env=variables).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # the command has said what there is to say
        sys.exit(130)
