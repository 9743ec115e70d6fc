"""What the three kinds of run share: pictures at their size, targets, start, recipe."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypedDict, cast

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import median_filter
from torch import Tensor

from nstlab.encoders import Encoder
from nstlab.images import fitted_shape, resize, scale_to_cover
from nstlab.job import Job
from nstlab.objective import (
    Term,
    blend_grams,
    content_term,
    mix_grams,
    range_term,
    style_term,
    variation_term,
)
from nstlab.runs import OnStep
from nstlab.runtime import choose_device, convolutions, generator
from nstlab.samples import identify
from nstlab.settings import Settings, Start
from nstlab.stock import PictureSource, Stock
from nstlab.words import did_you_mean

Shape = tuple[int, int]  # height and width in pixels
WATCHED = ("on_step", "frame_every", "checkpoint", "checkpoint_every", "keep_checkpoint")


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
        stock: Stock | None = None,
        **pictures: Sequence[PictureSource],
    ) -> None:
        """Choose device and encoder.

        Args:
            name: `stylize`, `invert` or `texture`.
            settings: None for the defaults.
            options: those of the caller.
            stock: where to look for pictures and encoders first; None for one of its own.
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
        self.device, self.stock = choose_device(options.get("device")), stock or Stock()
        given = options.get("encoder")
        self.encoder = self.stock.encoder(settings, self.device, given)
        if given is not None:
            settings = settings.change(encoder=given.name, weights=None)
        self.name, self.settings, self.options, self.pictures = name, settings, options, pictures
        self.dtype = self.encoder.get_buffer("mean").dtype

    def load(self, source: PictureSource, size: int | Shape) -> Float[Tensor, "1 3 h w"]:
        """A picture at a size, on the device of the run."""
        return resize(self.stock.picture(source), size).to(self.device, self.dtype)

    def shape_like(self, source: PictureSource) -> Shape:
        """Height and width of the result, from the picture whose proportions it takes."""
        height, width = self.stock.picture(source).shape[2:]
        return fitted_shape(height, width, self.settings.size)

    def content_term(self, source: PictureSource, shape: Shape) -> Term:
        """The content term for a picture, at the shape of the result."""
        weights = self.settings.layer_weights("content")
        features = self.stock.once(
            ("features", id(self.encoder), id(source), shape, tuple(weights)),
            lambda: self.features(self.load(source, shape), weights),
        )
        normalization, weight = self.settings.normalization, self.settings.content_weight
        return content_term(features, weights, normalization, weight)

    def style_term(self, sources: Sequence[PictureSource], shape: Shape) -> Term:
        """The style term for one picture or several, each at its own size."""
        weights = self.settings.layer_weights("style")
        fit, scale = self.settings.style_fit, self.settings.style_scale
        grams = [
            self.stock.once(
                ("grams", id(self.encoder), id(each), shape, fit, scale, tuple(weights)),
                lambda each=each: blend_grams(
                    [self.features(self.load_style(each, shape), weights)]
                ),
            )
            for each in sources
        ]
        mixed = mix_grams(grams, self.settings.style_blend)
        normalization, weight = self.settings.normalization, self.settings.style_weight
        return style_term(mixed, weights, normalization, weight)

    def features(self, image: Float[Tensor, "1 3 h w"], layers: Iterable[str]) -> dict[str, Tensor]:
        """The encoder's features, in the precision of the run."""
        with convolutions(self.encoder.precision):
            return self.encoder(image, list(layers))

    def load_style(self, source: PictureSource, shape: Shape) -> Float[Tensor, "1 3 h w"]:
        """A style picture at the size that `style_fit` and `style_scale` ask for."""
        image = self.stock.picture(source)
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
            image = scale_to_cover(self.stock.picture(sources["style"]), *shape)
            return image.to(self.device, self.dtype)
        return self.load(sources[start], shape)

    def job(
        self, terms: Sequence[Term], shape: Shape, start: Start, **sources: PictureSource
    ) -> Job:
        """Add the terms that any run may have, and choose the start.

        Args:
            terms: of this kind of run.
            shape: of the result.
            start: where to start if the settings do not say.
            **sources: pictures that can be started from.

        Returns:
            The run, ready to be made.
        """
        start = self.settings.start or start
        settings = self.settings.change(start=start)
        extra = [(variation_term, settings.variation_weight), (range_term, settings.range_weight)]
        added = [make(weight) for make, weight in extra if weight > 0]
        return Job(
            encoder=self.encoder,
            terms=(*terms, *added),
            image=self.start_image(start, shape, sources),
            settings=settings,
            recipe=self.recipe(settings),
            watched={
                name: value
                for name, value in self.options.items()
                if name in WATCHED and value is not None and value is not False
            },
        )

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
