"""Streets at night in thick paint: lamplight, cobbles and lit windows in perspective."""

from __future__ import annotations

from painters.boulevard import second
from painters.cafe import first

__all__ = ["first", "second"]
