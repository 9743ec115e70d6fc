"""Pen drawings: hatching that follows form and tone, over washes of three inks."""

from __future__ import annotations

from painters.still_life import second
from painters.town import first

__all__ = ["first", "second"]
