"""Make a saved picture again from the record inside it, with the same pictures and weights."""

from nstlab.rerun.again import differs, rerun
from nstlab.rerun.recipe import ROLES

__all__ = ["ROLES", "differs", "rerun"]
