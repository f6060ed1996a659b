"""Comparisons of speed with other libraries."""
