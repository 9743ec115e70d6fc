"""The network as tutorials have it: torchvision's `features` behind a normalisation."""

import torch
from torch import Tensor, nn
from torchvision.models.vgg import make_layers

from nstlab.encoders import DEVIATION, MEAN, Encoder
from nstlab.layers import layer_index, table


class Normalise(nn.Module):
    """Subtract ImageNet's mean and divide by its standard deviation."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """(image − mean) / deviation."""
        return (image - self.get_buffer("mean")) / self.get_buffer("deviation")


def textbook_network(encoder: Encoder, deepest: str) -> nn.Sequential:
    """The same network as tutorials have it: `vgg19().features`, cut after the deepest layer.

    torchvision's own builder makes it, with the encoder's numbers of channels, so that `lite` has
    one too. In-place ReLUs, which would overwrite the features, are replaced.

    Args:
        encoder: gives layers and weights; a VGG or `lite`, with maximum or average pooling.
        deepest: name of the last layer.

    Returns:
        The normalisation, then a module for each layer; on the encoder's device, frozen.

    Raises:
        ValueError: an encoder of another kind, or a layer that it does not have.
    """
    check_encoder(encoder)
    encoder.check_layers([deepest])
    layers = table(encoder.name)[: len(encoder.layers)]
    plan = [
        "M" if layer.kind == "pool" else encoder.channels(layer.name)
        for layer in layers
        if layer.kind in ("conv", "pool")
    ]
    with torch.device("meta"):  # no numbers yet
        built = make_layers(plan, batch_norm=encoder.name.endswith("_bn"))
    modules: list[nn.Module] = []
    for module, layer in zip(built[: layer_index(encoder.name, deepest) + 1], layers, strict=False):
        if isinstance(module, nn.ReLU):
            module = nn.ReLU(inplace=False)
        elif isinstance(module, nn.MaxPool2d) and encoder.pooling == "average":
            module = nn.AvgPool2d(kernel_size=2, stride=2)
        own = encoder.get_submodule(layer.name).state_dict()
        module.load_state_dict({key: _plain(value) for key, value in own.items()}, assign=True)
        modules.append(module)
    network = nn.Sequential(Normalise(), *modules).eval().requires_grad_(False)
    return network.to(encoder.get_buffer("mean"))


def check_encoder(encoder: Encoder) -> None:
    """Raise a `ValueError` unless there is a textbook network of this kind."""
    if encoder.name == "alexnet" or encoder.pooling == "l2" or encoder.padding != "zeros":
        raise ValueError(
            f"there is no textbook loop for {encoder.name} with {encoder.pooling} pooling and "
            f"{encoder.padding} padding; take a VGG or lite with max or average pooling and zeros"
        )


def _plain(weights: Tensor) -> Tensor:
    return weights.detach().clone(memory_format=torch.contiguous_format)
