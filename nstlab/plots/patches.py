"""Which parts of pictures excite a channel."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.encoders import Encoder
from nstlab.images import check_picture
from nstlab.layers import table


@dataclass(frozen=True)
class Patch:
    """A part of a picture that excites a channel.

    Attributes:
        image: (1, 3, side, side), cut out of the picture.
        value: the channel's output there.
        picture: which of the pictures it is from.
        top: of its upper edge, pixels.
        left: of its left edge, pixels.
    """

    image: Float[Tensor, "1 3 side side"]
    value: float
    picture: int
    top: int
    left: int


def strongest_patches(
    encoder: Encoder,
    pictures: Sequence[Float[Tensor, "1 3 _ _"]],
    layer: str,
    channel: int,
    count: int = 8,
) -> list[Patch]:
    """The parts of some pictures to which one channel answers most, the strongest first.

    A patch is what one output of the layer sees. Those that reach over the edge of the picture, on
    which the network's padding acts too, are looked at only if there are no others, and are then
    moved inside. Two patches of a picture lie at least half a side apart.

    Args:
        encoder: the network.
        pictures: where to look, RGB in [0, 1].
        layer: one of `encoder.layers`.
        channel: one of its channels.
        count: how many at most.

    Returns:
        Patches; fewer where the pictures have no room for more.

    Raises:
        ValueError: no such layer or channel, or pictures too small for the layer.
    """
    side, stride, offset = _geometry(encoder, layer)
    maps = []
    for picture in pictures:
        height, width = picture.shape[2:]
        answer = response(encoder, picture, layer, channel)
        rows = _inside(answer.shape[0], height, side, stride, offset)
        columns = _inside(answer.shape[1], width, side, stride, offset)
        maps.append(answer.where(rows[:, None] & columns, -torch.inf))
    found = []
    while len(found) < count:
        tops = [float(each.max()) for each in maps]
        if max(tops, default=-torch.inf) <= 0:  # nothing left that excites it
            break
        which = tops.index(max(tops))
        row, column = divmod(int(maps[which].argmax()), maps[which].shape[1])
        found.append(_cut_out(pictures[which], which, max(tops), side, stride, offset, row, column))
        apart = math.ceil(side / 2 / stride)
        rows = slice(max(0, row - apart + 1), row + apart)
        columns = slice(max(0, column - apart + 1), column + apart)
        maps[which][rows, columns] = -torch.inf
    return found


def response(
    encoder: Encoder, picture: Float[Tensor, "1 3 h w"], layer: str, channel: int
) -> Float[Tensor, "i j"]:
    """The output of one channel, on the CPU.

    Args:
        encoder: the network.
        picture: RGB in [0, 1].
        layer: one of `encoder.layers`.
        channel: one of its channels.

    Returns:
        A map of the layer's own size.

    Raises:
        ValueError: no such layer or channel, or no picture.
    """
    check_picture(picture)
    count = encoder.channels(layer)
    if not 0 <= channel < count:
        raise ValueError(f"no channel {channel} in {layer}; its channels are 0 to {count - 1}")
    mean = encoder.get_buffer("mean")
    with torch.no_grad():
        features = encoder(picture.to(mean.device, mean.dtype), [layer])[layer]
    return features[0, channel].float().cpu().clone()


def _geometry(encoder: Encoder, layer: str) -> tuple[int, int, float]:
    """Side of what one output sees, distance between outputs, and the first one's centre."""
    centre, step = 0.0, 1
    for each in table(encoder.name):
        centre += ((each.kernel - 1) / 2 - each.padding) * step
        step *= each.stride
        if each.name == layer:
            break
    return encoder.receptive_field(layer), encoder.stride(layer), centre


def _inside(count: int, length: int, side: int, stride: int, offset: float) -> Tensor:
    """Which of `count` positions see nothing beyond the edges; all of them if none does."""
    first = offset + torch.arange(count) * stride - (side - 1) / 2
    inside = (first >= 0) & (first + side <= length)
    return inside if inside.any() else torch.ones_like(inside)


def _cut_out(
    picture: Tensor,
    which: int,
    value: float,
    field: int,
    stride: int,
    offset: float,
    row: int,
    column: int,
) -> Patch:
    height, width = picture.shape[2:]
    side = min(field, height, width)

    def first(position: int, length: int) -> int:
        edge = round(offset + position * stride - (side - 1) / 2)
        return min(max(0, edge), length - side)

    top, left = first(row, height), first(column, width)
    return Patch(picture[..., top : top + side, left : left + side], value, which, top, left)
