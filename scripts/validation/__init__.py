"""What `scripts/validate.py` measures: a module for each subject, each with `rows(setting)`."""
