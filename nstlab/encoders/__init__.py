"""Networks that turn a picture into features: VGG, AlexNet and the bundled `lite`."""

from nstlab.encoders.loading import load_encoder
from nstlab.encoders.modules import L2Pool, Padding, Pooling
from nstlab.encoders.network import DEVIATION, MEAN, Encoder
from nstlab.layers import encoder_names, layer_index, layer_name, layer_names

__all__ = [
    "DEVIATION",
    "MEAN",
    "Encoder",
    "L2Pool",
    "Padding",
    "Pooling",
    "encoder_names",
    "layer_index",
    "layer_name",
    "layer_names",
    "load_encoder",
]
