"""The student: an encoder that learns, and a head for each of its taught layers."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from nstlab.encoders import Encoder

RIDGE = 1e-3  # of the mean variance, added where heads are fitted


class Student(nn.Module):
    """An encoder in training.

    A head is a 1×1 convolution with a ReLU from a layer of the student to the teacher's number of
    channels. Heads are only used in training.

    Attributes:
        encoder: what learns.
        heads: layer name to convolution.
        offsets: for each layer the logarithm of student's over teacher's Gram distances.
    """

    def __init__(self, encoder: Encoder, channels: Mapping[str, int]) -> None:
        """Add a head to each taught layer.

        Args:
            encoder: where the student starts; it is changed.
            channels: taught layer to the teacher's number of channels.
        """
        super().__init__()
        self.encoder = encoder.requires_grad_(True)
        self.heads = nn.ModuleDict(
            {name: nn.Conv2d(encoder.channels(name), count, 1) for name, count in channels.items()}
        )
        self.offsets = nn.ParameterDict({name: torch.zeros(()) for name in channels})
        self.to(encoder.get_buffer("mean").device).to(memory_format=torch.channels_last)

    def keep(self, layer: str) -> None:
        """Leave the weights of the encoder down to a layer as they are.

        Args:
            layer: a name out of `encoder.layers` with taught layers below it.

        Raises:
            ValueError: no such layer, or one below which nothing is taught.
        """
        self.encoder.check_layers([layer])
        layers = self.encoder.layers
        place = layers.index(layer)
        if max(map(layers.index, self.heads)) <= place:
            raise ValueError(f"no taught layer lies below {layer!r}, so nothing would be trained")
        for name in layers[: place + 1]:
            self.encoder.get_submodule(name).requires_grad_(False)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> dict[str, Tensor]:
        """The encoder's features at all taught layers."""
        return self.encoder(image, list(self.heads))

    def led(self, layer: str, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Features of a layer after its head, to compare with the teacher's."""
        return F.relu(self.heads[layer](features))

    @torch.no_grad()
    def fit_heads(
        self, features: Sequence[Mapping[str, Tensor]], targets: Sequence[Mapping[str, Tensor]]
    ) -> None:
        """Set each head to the linear map that fits the teacher best (ridge regression).

        Args:
            features: the student's for some batches.
            targets: the teacher's for the same, scaled.
        """
        for name, head in self.heads.items():
            # On the CPU, since not every device has double precision.
            x = torch.cat([_rows(each[name]) for each in features]).cpu().double()
            y = torch.cat([_rows(each[name]) for each in targets]).cpu().double()
            x_mean, y_mean = x.mean(0), y.mean(0)
            x, y = x - x_mean, y - y_mean
            covariance = x.mT @ x / len(x)
            ridge = RIDGE * covariance.diagonal().mean() + 1e-12
            covariance.diagonal().add_(ridge)
            weight = torch.linalg.solve(covariance, x.mT @ y / len(x)).mT
            assert isinstance(head, nn.Conv2d) and head.bias is not None
            head.weight.copy_(weight[:, :, None, None])
            head.bias.copy_(y_mean - weight @ x_mean)


def _rows(features: Float[Tensor, "b c h w"]) -> Float[Tensor, "rows c"]:
    """Some positions of a layer as rows; from 128 columns on not all."""
    step = max(1, features.shape[-1] // 64)
    return features[:, :, ::step, ::step].movedim(1, -1).flatten(0, 2)
