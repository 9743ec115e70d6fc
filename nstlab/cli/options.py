"""How each of the `Settings` is asked for on the command line, and which command uses which."""

from dataclasses import dataclass

from nstlab.losses import NORMALIZATIONS
from nstlab.optimize import OPTIMIZERS
from nstlab.preconditioner import PRECONDITIONERS
from nstlab.runtime import PRECISIONS
from nstlab.settings import POOLINGS, STARTS, STYLE_FITS


@dataclass(frozen=True)
class Option:
    """How one attribute of `Settings` is asked for."""

    help: str
    kind: type = str
    choices: tuple[str, ...] | None = None
    several: bool = False
    metavar: str | None = None


_CONTENT = {
    "content_weight": Option("weight α of the content, 0 or more", float),
    "content_layers": Option("where content is compared", several=True, metavar="LAYER"),
    "content_layer_weights": Option(
        "one number for each of these layers; equal if left out", float, several=True
    ),
}
_STYLE = {
    "style_weight": Option("weight β of the style, 0 or more", float),
    "style_layers": Option("where style is compared", several=True, metavar="LAYER"),
    "style_layer_weights": Option(
        "one number for each of these layers; equal if left out", float, several=True
    ),
    "style_blend": Option(
        "shares of several style pictures, one number for each; equal if left out",
        float,
        several=True,
    ),
    "style_fit": Option(
        "size of the style picture: the longer side of the result, as small as covers the "
        "result, or its own",
        choices=STYLE_FITS,
    ),
    "style_scale": Option(
        "factor on the style picture's size, above 0; larger gives larger strokes", float
    ),
}
_COMMON = {
    "size": Option("longer side of the result in pixels, 16 or more", int),
    "steps": Option("number of changes made to the picture, 1 or more", int),
    "variation_weight": Option("weight of roughness, 0 or more; smooths", float),
    "range_weight": Option("weight of what leaves the range of colours, 0 or more", float),
    "normalization": Option("form of the losses", choices=NORMALIZATIONS),
    "start": Option(
        "where to start; content for stylize and noise for the others if left out",
        choices=tuple(name for name in STARTS if name != "picture"),
    ),
    "optimizer": Option("how to go down", choices=OPTIMIZERS),
    "learning_rate": Option("size of its steps, above 0; its own if left out", float),
    "preconditioner": Option(
        "of lbfgs: adaptive needs fewer steps than none", choices=PRECONDITIONERS
    ),
    "history": Option("number of steps that lbfgs and scipy remember, 1 or more", int),
    "encoder": Option("a name that `nstlab info` lists, or a weight file", metavar="NAME|FILE"),
    "weights": Option(
        "weight file for the encoder named, or `random`; its own if left out", metavar="FILE"
    ),
    "precision": Option(
        "of the convolutions; auto is the fastest that the device has", choices=PRECISIONS
    ),
    "pooling": Option("what the encoder does where it pools", choices=POOLINGS),
    "seed": Option("of the start from noise and of random weights", int),
}
USED = {
    "stylize": {**_CONTENT, **_STYLE, **_COMMON},
    "invert": {**_CONTENT, **_COMMON},
    "texture": {**_STYLE, **_COMMON},
}
