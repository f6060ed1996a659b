"""How fast the package is, beside the libraries people would use instead."""
