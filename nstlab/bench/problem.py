"""What both loops go down: an encoder, two pictures, and the default objective's layers."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.bench.textbook import TextbookLoop
from nstlab.encoders import Encoder, load_encoder
from nstlab.objective import Objective, blend_grams, content_term, range_term, style_term
from nstlab.runtime import convolutions, generator
from nstlab.settings import CONTENT_LAYERS, STYLE_LAYERS, Settings
from nstlab.weights import FILE_TYPES


@dataclass(frozen=True)
class Problem:
    """One style transfer with the default settings, for our loop and for the textbook's.

    Attributes:
        encoder: with weights of float32.
        content: the photograph, on the encoder's device.
        style: the painting.
        content_layers: where content is compared.
        style_layers: where Gram matrices are compared.
    """

    encoder: Encoder
    content: Float[Tensor, "1 3 h w"]
    style: Float[Tensor, "1 3 i j"]
    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]

    @property
    def deepest(self) -> str:
        """The last layer that has to be computed."""
        used = (*self.content_layers, *self.style_layers)
        return max(used, key=self.encoder.layers.index)

    def objective(self, precision: str) -> Objective:
        """Our objective; its targets are computed in the precision of the run, as in a `Task`.

        Args:
            precision: of the convolutions, as `choose_precision` gives it.

        Returns:
            Content, style and range terms with the default weights.
        """
        encoder, weights = self.encoder.computing_in(precision), Settings()
        with torch.no_grad(), convolutions(precision):
            seen = encoder(self.content, self.content_layers)
            grams = blend_grams([encoder(self.style, self.style_layers)])
        return Objective(
            encoder,
            [
                content_term(seen, weight=weights.content_weight),
                style_term(grams, weight=weights.style_weight),
                range_term(weights.range_weight),
            ],
        )

    def textbook(self) -> TextbookLoop:
        """The textbook loop for the same objective, in float32."""
        weights = Settings()
        return TextbookLoop(
            self.encoder,
            self.content,
            self.style,
            content_layers=self.content_layers,
            style_layers=self.style_layers,
            content_weight=weights.content_weight,
            style_weight=weights.style_weight,
            range_weight=weights.range_weight,
        )


def make_problem(
    encoder: Encoder, content: Float[Tensor, "1 3 h w"], style: Float[Tensor, "1 3 i j"]
) -> Problem:
    """A problem with the default layers as far as the encoder has them.

    Args:
        encoder: one whose weights may end early.
        content: the photograph, on the encoder's device.
        style: the painting.

    Returns:
        The problem; content is compared at the last ReLU where the default layer is missing.
    """
    content_layers = tuple(name for name in CONTENT_LAYERS if name in encoder.layers)
    last = [name for name in encoder.layers if name.startswith("relu")][-1:]
    return Problem(
        encoder,
        content,
        style,
        content_layers or tuple(last),
        tuple(name for name in STYLE_LAYERS if name in encoder.layers),
    )


def random_problem(encoder: Encoder, size: int) -> Problem:
    """A problem with uniformly random pictures, which take as long as any others.

    Args:
        encoder: on the device to measure.
        size: longer side in pixels; the shorter one is three quarters of it.

    Returns:
        The problem; the start to use is `problem.content` or any picture of its shape.
    """
    random, device = generator(0), encoder.get_buffer("mean").device
    shape = (1, 3, *shape_of(size))
    content, style = (torch.rand(shape, generator=random).to(device) for _ in range(2))
    return make_problem(encoder, content, style)


def shape_of(size: int) -> tuple[int, int]:
    """Height and width of a picture of 4 : 3."""
    return round(size * 3 / 4), size


def encoder_to_time(name: str, device: torch.device) -> Encoder:
    """An encoder by name; all but `lite` and weight files get random weights, which cost the same.

    Args:
        name: of an encoder, or the path of a weight file.
        device: where to put it.

    Returns:
        The encoder, in float32.

    Raises:
        WeightsError: the file cannot be used.
        ValueError: no such encoder.
    """
    own = name == "lite" or name.endswith(FILE_TYPES)
    return load_encoder(name, weights=None if own else "random", device=device)
