"""Neural style transfer to learn from and to work with.

Content inversion, texture synthesis and style transfer are one loop with three objectives.
"""

from nstlab.encoders import Encoder, encoder_names, layer_name, layer_names, load_encoder
from nstlab.gram import gram_matrix
from nstlab.hooks import record
from nstlab.images import open_picture, resize, save_picture, scale_to_cover
from nstlab.losses import content_loss, style_loss, variation_loss
from nstlab.objective import Objective
from nstlab.optimize import minimize
from nstlab.runs import Run, Step, load_run
from nstlab.runtime import quick
from nstlab.samples import catalogue, load_picture
from nstlab.settings import Settings
from nstlab.transfer import invert, stylize, synthesize_texture

__all__ = [
    "Encoder",
    "Objective",
    "Run",
    "Settings",
    "Step",
    "catalogue",
    "content_loss",
    "encoder_names",
    "gram_matrix",
    "invert",
    "layer_name",
    "layer_names",
    "load_encoder",
    "load_picture",
    "load_run",
    "minimize",
    "open_picture",
    "quick",
    "record",
    "resize",
    "save_picture",
    "scale_to_cover",
    "style_loss",
    "stylize",
    "synthesize_texture",
    "variation_loss",
]


def __getattr__(name: str) -> object:
    """`nstlab.lab`, which alone needs widgets: they are imported when it is asked for."""
    if name == "lab":
        from nstlab.widgets import lab

        return lab
    raise AttributeError(f"module 'nstlab' has no attribute {name!r}")
