from .learning import run_experiment as run_experiment
from .learning import save_picture as save_picture

def main() -> None:
    """Run the command line."""
