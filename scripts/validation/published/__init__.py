"""Published findings: a module each, whose docstring is a section of the page."""
