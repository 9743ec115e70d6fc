"""What the three kinds of run share: pictures at their size, targets, start, recipe."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypedDict, cast

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import median_filter
from torch import Tensor

from nstlab.encoders import Encoder, encoder_names, load_encoder
from nstlab.images import Source, fitted_shape, resize, scale_to_cover
from nstlab.objective import (
    Objective,
    Term,
    blend_grams,
    content_term,
    range_term,
    style_term,
    variation_term,
)
from nstlab.optimize import minimize
from nstlab.runs import OnStep, Run
from nstlab.runtime import choose_device, generator, machine
from nstlab.samples import identify, load_picture
from nstlab.settings import Settings, Start
from nstlab.words import did_you_mean

PictureSource = Source | Tensor
Shape = tuple[int, int]  # height and width in pixels


def as_list(pictures: PictureSource | Sequence[PictureSource]) -> list[PictureSource]:
    """One picture or several as a list; strings and bytes count as one."""
    if isinstance(pictures, list | tuple):
        return list(pictures)
    return [cast(PictureSource, pictures)]


class Options(TypedDict, total=False):
    """How a run is carried out and watched; of these only `start_picture` changes the result.

    Attributes:
        start_picture: where to start, such as an earlier result; chooses the start `picture`.
        encoder: one that is loaded already, to save time, in place of the one that the settings
            name.
        device: `cuda`, `mps`, `cpu`; None for the fastest there is.
        on_step: called with a `Step` after each evaluation; see `minimize`.
        frame_every: keep each n-th picture of the run.
        checkpoint: file to write the state to, and to go on from if it is there.
        checkpoint_every: steps between checkpoints; None for one every 30 seconds.
        keep_checkpoint: leave the file when the run has ended by itself.
    """

    start_picture: PictureSource | None
    encoder: Encoder | None
    device: str | torch.device | None
    on_step: OnStep | None
    frame_every: int
    checkpoint: str | Path | None
    checkpoint_every: int | None
    keep_checkpoint: bool


class Task:
    """One run in preparation."""

    def __init__(
        self,
        name: str,
        settings: Settings | None,
        options: Options,
        **pictures: Sequence[PictureSource],
    ) -> None:
        """Choose device and encoder.

        Args:
            name: `stylize`, `invert` or `texture`.
            settings: None for the defaults.
            options: those of the caller.
            **pictures: by role, for the recipe.
        """
        _check_names(options)
        settings = settings or Settings()
        self.start_picture = options.get("start_picture")
        if self.start_picture is not None:
            settings = settings.change(start="picture")
            pictures["start"] = [self.start_picture]
        elif settings.start == "picture":
            raise ValueError("start is 'picture' but none was handed over; give start_picture")
        self.device = choose_device(options.get("device"))
        encoder = options.get("encoder")
        if encoder is None:
            encoder = encoder_for(settings)
        else:
            _check_encoder(encoder, settings)
            settings = settings.change(encoder=encoder.name, weights=None)
        if encoder.get_buffer("mean").device != self.device:
            encoder = copy.deepcopy(encoder).to(self.device)  # the caller's own stays where it is
        self.encoder = encoder
        self.name, self.settings, self.options, self.pictures = name, settings, options, pictures
        self._opened: dict[int, tuple[PictureSource, Tensor]] = {}
        self.dtype = self.encoder.get_buffer("mean").dtype

    def open(self, source: PictureSource) -> Float[Tensor, "1 3 h w"]:
        """A picture as it is; decoded once."""
        if id(source) not in self._opened:
            self._opened[id(source)] = (source, load_picture(source))  # the source keeps its id
        return self._opened[id(source)][1]

    def load(self, source: PictureSource, size: int | Shape) -> Float[Tensor, "1 3 h w"]:
        """A picture at a size, on the device of the run."""
        return resize(self.open(source), size).to(self.device, self.dtype)

    def shape_like(self, source: PictureSource) -> Shape:
        """Height and width of the result, from the picture whose proportions it takes."""
        height, width = self.open(source).shape[2:]
        return fitted_shape(height, width, self.settings.size)

    def content_term(self, source: PictureSource, shape: Shape) -> Term:
        """The content term for a picture, at the shape of the result."""
        weights = self.settings.layer_weights("content")
        features = self.encoder(self.load(source, shape), list(weights))
        normalization, weight = self.settings.normalization, self.settings.content_weight
        return content_term(features, weights, normalization, weight)

    def style_term(self, sources: Sequence[PictureSource], shape: Shape) -> Term:
        """The style term for one picture or several, each at its own size."""
        weights = self.settings.layer_weights("style")
        features = [self.encoder(self.load_style(each, shape), list(weights)) for each in sources]
        grams = blend_grams(features, self.settings.style_blend)
        normalization, weight = self.settings.normalization, self.settings.style_weight
        return style_term(grams, weights, normalization, weight)

    def load_style(self, source: PictureSource, shape: Shape) -> Float[Tensor, "1 3 h w"]:
        """A style picture at the size that `style_fit` and `style_scale` ask for."""
        image = self.open(source)
        height, width = image.shape[2:]
        scale = self.settings.style_scale
        if self.settings.style_fit == "cover":
            image = scale_to_cover(image, *(max(1, round(side * scale)) for side in shape))
        else:
            fitted = self.settings.style_fit == "size"
            longer = max(shape) if fitted else max(height, width)
            image = resize(image, max(1, round(longer * scale)))
        return image.to(self.device, self.dtype)

    def start_image(
        self, start: Start, shape: Shape, sources: Mapping[str, PictureSource]
    ) -> Float[Tensor, "1 3 h w"]:
        """The picture to start from."""
        if start == "picture" and self.start_picture is not None:
            return self.load(self.start_picture, shape)
        if start == "noise":
            noise = torch.rand(1, 3, *shape, generator=generator(self.settings.seed))
            return noise.to(self.device, self.dtype)
        if start == "smooth_noise":
            # As in the blog walk-through: uniform noise, median of 8 × 8 pixels, halved.
            noise = np.random.default_rng(self.settings.seed).random((3, *shape), dtype=np.float32)
            smooth = torch.from_numpy(median_filter(noise, size=(1, 8, 8)) / 2)
            return smooth[None].to(self.device, self.dtype)
        if start not in sources:
            raise ValueError(f"start is {start!r}, but {self.name} has no {start} picture")
        if start == "style":
            image = scale_to_cover(self.open(sources["style"]), *shape)
            return image.to(self.device, self.dtype)
        return self.load(sources[start], shape)

    def run(
        self, terms: Sequence[Term], shape: Shape, start: Start, **sources: PictureSource
    ) -> Run:
        """Add the terms that any run may have, choose the start, and go down.

        Args:
            terms: of this kind of run.
            shape: of the result.
            start: where to start if the settings do not say.
            **sources: pictures that can be started from.

        Returns:
            The run.
        """
        settings, options = self.settings, self.options
        start = settings.start or start
        image = self.start_image(start, shape, sources)
        extra = [(variation_term, settings.variation_weight), (range_term, settings.range_weight)]
        added = [make(weight) for make, weight in extra if weight > 0]
        run = minimize(
            Objective(self.encoder, [*terms, *added]),
            image,
            steps=settings.steps,
            optimizer=settings.optimizer,
            learning_rate=settings.learning_rate,
            history=settings.history,
            frame_every=options.get("frame_every", 0),
            on_step=options.get("on_step"),
            checkpoint=options.get("checkpoint"),
            checkpoint_every=options.get("checkpoint_every"),
            keep_checkpoint=options.get("keep_checkpoint", False),
            recipe=self.recipe(settings.change(start=start)),
        )
        run.machine = machine(self.device)
        return run

    def recipe(self, settings: Settings) -> dict[str, Any]:
        """What it takes to make the run again, as plain data: file names and hashes, no path."""
        return {
            "task": self.name,
            "settings": settings.as_data(),
            "pictures": {
                role: [asdict(identify(each)) for each in sources]
                for role, sources in self.pictures.items()
            },
            "encoder": {
                "network": self.encoder.name,
                "weights": self.encoder.weights_name,
                "sha256": self.encoder.weights_sha256,
            },
        }


def encoder_for(settings: Settings) -> Encoder:
    """The encoder that settings name, on the CPU."""
    return load_encoder(
        settings.encoder, pooling=settings.pooling, weights=settings.weights, seed=settings.seed
    )


def _check_names(options: Options) -> None:
    for name in options:
        if name in Options.__annotations__:
            continue
        if name in (each.name for each in fields(Settings)):
            raise TypeError(f"{name!r} is a setting; put it into Settings({name}=…)")
        names = ", ".join(Options.__annotations__)
        hint = did_you_mean(name, Options.__annotations__)
        raise TypeError(f"no option {name!r}{hint}; there is: {names}")
    encoder = options.get("encoder")
    if encoder is not None and not isinstance(encoder, Encoder):
        raise TypeError(
            f"encoder is {encoder!r}; hand over what load_encoder gives, or name it in "
            "Settings(encoder=…)"
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
