"""Which channels of a layer are worth a look."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.encoders import Encoder


def selective_channels(
    encoder: Encoder, pictures: Sequence[Float[Tensor, "1 3 _ _"]], layer: str, count: int = 8
) -> list[int]:
    """The channels that are silent nearly everywhere and loud in a few places.

    A channel's score is the mean of its four largest answers, one for each picture, over the root
    mean square of all its answers. Channels whose largest answer is below the median of the layer
    are left out: their scores are those of faint noise.

    Args:
        encoder: the network.
        pictures: where to look, RGB in [0, 1]; better many different ones than few.
        layer: one of `encoder.layers`.
        count: how many channels at most.

    Returns:
        Numbers of channels, the most selective first.

    Raises:
        ValueError: no picture, no such layer, or pictures too small for it.
    """
    if not pictures:
        raise ValueError("there is no picture to look at")
    mean = encoder.get_buffer("mean")
    with torch.no_grad():
        answers = [
            encoder(each.to(mean.device, mean.dtype), [layer])[layer][0].flatten(1).cpu()
            for each in pictures
        ]
    largest = torch.stack([each.amax(1) for each in answers]).sort(0, descending=True).values
    usual = torch.cat(answers, 1).square().mean(1).sqrt()
    score = largest[:4].mean(0) / usual.clamp_min(1e-12)
    loud = (largest[0] > 0) & (largest[0] >= largest[0].median())
    order = score.where(loud, -torch.inf).argsort(descending=True)
    return order[: min(count, int(loud.sum()))].tolist()
