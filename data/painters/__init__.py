"""Procedural painters: one module per kind of picture."""
