"""What a notebook can be steered with: plain ipywidgets over functions that need no browser."""

from nstlab.widgets.browser import Browser, browse
from nstlab.widgets.lab import Lab, lab

__all__ = ["Browser", "Lab", "browse", "lab"]
