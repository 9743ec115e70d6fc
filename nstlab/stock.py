"""What runs over the same pictures need but once: decoded pictures, encoders, targets."""

import copy
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.encoders import Encoder, encoder_names, load_encoder
from nstlab.images import Source
from nstlab.runtime import choose_precision
from nstlab.samples import load_picture
from nstlab.settings import Settings

T = TypeVar("T")
PictureSource = Source | Tensor


class Stock:
    """Pictures, encoders and targets that were asked for, kept for the next who asks."""

    def __init__(self) -> None:
        self._made: dict[Hashable, object] = {}
        self._pictures: dict[int, tuple[PictureSource, Tensor]] = {}
        self._encoders: dict[tuple[object, ...], tuple[Encoder | None, Encoder]] = {}

    def picture(self, source: PictureSource) -> Float[Tensor, "1 3 h w"]:
        """A picture as it is; decoded once.

        Args:
            source: a name, path, address, PIL image or tensor; the same object each time.

        Returns:
            RGB in [0, 1], on the CPU.

        Raises:
            PictureError: it cannot be had.
        """
        if id(source) not in self._pictures:
            self._pictures[id(source)] = (source, load_picture(source))  # the source keeps its id
        return self._pictures[id(source)][1]

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made the first time that somebody asks for `key`.

        Args:
            key: says all that the result depends on; pictures and encoders by their `id`, which
                stays theirs as long as they are kept here.
            make: makes it.

        Returns:
            The same object each time.
        """
        if key not in self._made:
            self._made[key] = make()
        return cast(T, self._made[key])

    def encoder(
        self, settings: Settings, device: torch.device, given: Encoder | None = None
    ) -> Encoder:
        """The encoder of some settings, on a device and in its precision; loaded once.

        Args:
            settings: name encoder, weights, pooling, precision and, for random weights, the seed.
            device: where it is to work.
            given: one that is loaded already; it stays as it is.

        Returns:
            The encoder.

        Raises:
            WeightsError: the weights cannot be had.
            ValueError: the settings ask for another encoder than the one given.
        """
        precision = choose_precision(settings.precision, device)
        named = (settings.encoder, settings.pooling, settings.weights, settings.seed)
        key = (id(given), device, precision, *(named if given is None else ()))
        if given is not None:
            _check_encoder(given, settings)
        if key not in self._encoders:
            encoder = given or encoder_for(settings)
            if encoder.get_buffer("mean").device != device:
                encoder = copy.deepcopy(encoder).to(device)
            self._encoders[key] = (given, encoder.computing_in(precision))
        return self._encoders[key][1]


def encoder_for(settings: Settings) -> Encoder:
    """The encoder that settings name, on the CPU, in float32."""
    return load_encoder(
        settings.encoder, pooling=settings.pooling, weights=settings.weights, seed=settings.seed
    )


def _check_encoder(encoder: Encoder, settings: Settings) -> None:
    """Refuse an encoder other than the one that the settings ask for."""
    asked, default = settings.encoder, Settings().encoder
    other = asked in encoder_names() and asked not in (default, encoder.name)
    if other or settings.pooling != encoder.pooling:
        raise ValueError(
            f"the encoder handed over is {encoder.name} with {encoder.pooling} pooling, the "
            f"settings ask for {asked} with {settings.pooling} pooling; change one of them"
        )
