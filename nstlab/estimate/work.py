"""What a run has to compute: its layers with their sizes, and the pictures that go in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import torch

from nstlab.encoders import Encoder
from nstlab.images import fitted_shape
from nstlab.layers import Layer, table
from nstlab.runtime import choose_precision
from nstlab.settings import Settings
from nstlab.task import Shape

Kind = Literal["stylize", "invert", "texture"]


@dataclass(frozen=True)
class Output:
    """What one layer puts out for one picture."""

    layer: Layer
    before: int  # channels that go in
    height: int
    width: int

    @property
    def numbers(self) -> int:
        """Channels × height × width."""
        return self.layer.channels * self.height * self.width

    @property
    def operations(self) -> int:
        """Of a convolution, a multiplication and an addition for each weight and position."""
        if self.layer.kind != "conv":
            return 0
        return 2 * self.layer.kernel**2 * self.before * self.numbers


@dataclass(frozen=True, kw_only=True)
class Work:
    """A run that is asked about.

    Attributes:
        settings: of the run.
        encoder: that it uses.
        loaded: whether the process has the encoder's weights already.
        device: where it is to run.
        kind: what kind of run; an inversion has no style term, a texture no content term.
        shape: height and width of the result, or None for a square, which needs the most.
        styles: height and width of each style picture as it is, or None where not known.
        pictures: that are changed at the same time, as one batch.
        frames: that are kept.
        read: pixels of all pictures as they are read.
    """

    settings: Settings
    encoder: Encoder
    loaded: bool = False
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    kind: Kind = "stylize"
    shape: Shape | None = None
    styles: tuple[Shape | None, ...] = (None,)
    pictures: int = 1
    frames: int = 0
    read: int = 0

    @property
    def precision(self) -> str:
        """In which the convolutions are computed."""
        if self.encoder.get_buffer("mean").dtype != torch.float32:
            return self.encoder.precision
        return choose_precision(self.settings.precision, self.device)

    @property
    def bytes_per_number(self) -> int:
        """Of features."""
        if self.precision == "bfloat16":
            return 2
        return self.encoder.get_buffer("mean").dtype.itemsize

    @property
    def result(self) -> Shape:
        """Height and width of the result."""
        size = self.settings.size
        return (size, size) if self.shape is None else fitted_shape(*self.shape, size)

    @property
    def content_layers(self) -> tuple[str, ...]:
        """Layers whose features are compared."""
        return () if self.kind == "texture" else self.settings.content_layers

    @property
    def style_layers(self) -> tuple[str, ...]:
        """Layers whose Gram matrices are compared."""
        return () if self.kind == "invert" else self.settings.style_layers

    @property
    def layers(self) -> tuple[str, ...]:
        """Layers that any term reads."""
        return tuple(dict.fromkeys((*self.content_layers, *self.style_layers)))

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """What the encoder puts out for the result, down to the deepest layer that is read."""
        return tuple(outputs_of(self.encoder, self.result, self.layers))

    @property
    def operations(self) -> int:
        """Of all convolutions in one evaluation: those forward, and as many back to the picture."""
        return 2 * self.pictures * sum(output.operations for output in self.outputs)

    def style_shapes(self) -> list[Shape]:
        """Height and width of each style picture as the encoder sees it.

        One whose own shape is not known is taken for a square as long as the result.
        """
        if self.kind == "invert":
            return []
        fit, scale, longer = self.settings.style_fit, self.settings.style_scale, max(self.result)
        shapes = []
        for own in self.styles:
            height, width = self.result if fit == "cover" else own or (longer, longer)
            if fit == "size":
                height, width = fitted_shape(height, width, longer)
            shapes.append((max(1, round(height * scale)), max(1, round(width * scale))))
        return shapes

    def at(self, settings: Settings) -> "Work":
        """The same work with other settings."""
        return replace(self, settings=settings)


def outputs_of(encoder: Encoder, shape: Shape, layers: Sequence[str]) -> Iterator[Output]:
    """What the layers of an encoder put out, down to the deepest of those named.

    Args:
        encoder: whose layers they are.
        shape: height and width of the picture.
        layers: names out of `encoder.layers`.

    Yields:
        One for each layer, from the picture down.

    Raises:
        ValueError: a layer that the encoder does not have.
    """
    encoder.check_layers(layers)
    deepest = max((encoder.layers.index(name) for name in layers), default=-1)
    before, (height, width) = 3, shape
    for layer in table(encoder.name)[: deepest + 1]:
        layer = replace(layer, channels=encoder.channels(layer.name))
        height, width = (
            max(1, (side + 2 * layer.padding - layer.kernel) // layer.stride + 1)
            for side in (height, width)
        )
        yield Output(layer, before, height, width)
        before = layer.channels
