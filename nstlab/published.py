"""Weights as a publication prints them, and what they are worth in another normalisation.

α = 10⁵ and β = 3 say nothing by themselves: they belong to one way of dividing the losses and to
one network. What carries over is how strongly style and content pull against each other at the
start.
"""

from dataclasses import dataclass, replace
from typing import Any

from nstlab.encoders import Encoder
from nstlab.encoders.network import DEVIATION
from nstlab.job import Job
from nstlab.losses import Normalization, check_normalization
from nstlab.objective import Objective
from nstlab.settings import Settings
from nstlab.stock import PictureSource
from nstlab.task import Options
from nstlab.transfer import stylize_job

PIXELS_255 = 255 * sum(DEVIATION) / 3  # how much larger 0–255 is than torchvision's input
SUM_255 = 3 * 255**2.5  # sum of variations on 0–255 over our mean, for each pixel


@dataclass(frozen=True, kw_only=True)
class Published:
    """The weights of a publication.

    Attributes:
        normalization: how its losses are divided: a name of `content_loss` and `style_loss`.
        content_weight: α.
        style_weight: β.
        variation_weight: of Σ ((Δx)² + (Δy)²)^1.25, a sum over all pixels and channels with values
            0–255; None where the publication has no such term.
        feature_scale: how many times larger its network's features are than those of torchvision's
            networks; `PIXELS_255` for one that takes 0–255 pixels less their mean. Without biases a
            network of convolutions, ReLUs and pools is homogeneous: k times the input, k times the
            features.
    """

    normalization: Normalization
    content_weight: float
    style_weight: float
    variation_weight: float | None = None
    feature_scale: float = 1.0

    def __post_init__(self) -> None:
        check_normalization(self.normalization)
        for name in ("content_weight", "style_weight", "feature_scale"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0")
        if self.variation_weight is not None and not 0 <= self.variation_weight < float("inf"):
            raise ValueError(f"variation_weight is {self.variation_weight}; it must be from 0 up")

    def change(self, **changes: Any) -> "Published":  # noqa: ANN401
        """The same weights with some values changed, as within a sweep."""
        return replace(self, **changes)

    def settings(
        self,
        base: Settings,
        content: PictureSource,
        style: PictureSource | list[PictureSource],
        *,
        encoder: Encoder | None = None,
    ) -> Settings:
        """Settings for a run that weighs its terms as the publication does.

        With a network as the publications use, these are the printed weights in their own
        normalisation; a `feature_scale` k is accounted for by β·k² and v/k², since content losses
        grow with its square and style losses with its fourth power. With `lite` they are weights in
        the normalisation of `base`: its α stays, and β and v are such that at a start from noise
        style : content : variation are as the printed weights would have them with the same
        encoder.

        A `range_weight` in `base` counts beside a content weight of 1, and is multiplied with the
        printed one.

        Args:
            base: all other settings; its layers are those that count.
            content: the content picture.
            style: the style picture, or several.
            encoder: one that is loaded already; None for the one that `base` names.

        Returns:
            `base` with other weights.

        Raises:
            ValueError: `base` has no content weight, so that there is nothing to compare with.
            PictureError, WeightsError: as in `stylize`.

        Example:
            >>> blog = Published(normalization="fastai", content_weight=1e5, style_weight=1)
            >>> weights = [
            ...     blog.change(style_weight=each)
            ...     .settings(Settings(size=64), "china", "swirls_1")
            ...     .style_weight
            ...     for each in (1, 10)
            ... ]
            >>> round(weights[1] / weights[0], 6)
            10.0
        """
        if not base.content_weight > 0:
            raise ValueError("content_weight is 0; weigh style against a content weight above 0")
        options: Options = {} if encoder is None else {"encoder": encoder}
        square = self.feature_scale**2
        printed = base.change(
            normalization=self.normalization,
            content_weight=self.content_weight,
            style_weight=self.style_weight * square,
        )
        theirs = stylize_job(content, style, printed.change(start="noise"), options)
        if theirs.encoder.name == "lite":
            ours = stylize_job(content, style, base.change(start="noise"), options)
            content_there, style_there = _losses(theirs)
            content_here, style_here = _losses(ours)
            unit = base.content_weight * content_here / (self.content_weight * content_there)
            found = base.change(style_weight=unit * printed.style_weight * style_there / style_here)
        else:
            unit = 1.0
            found = printed.change(range_weight=base.range_weight * self.content_weight)
        if self.variation_weight is None:
            return found
        height, width = theirs.image.shape[2:]
        summed = self.variation_weight * SUM_255 * (height - 1) * (width - 1)
        return found.change(variation_weight=unit * summed / square)


def _losses(job: Job) -> tuple[float, float]:
    """Content and style loss at the start, without their weights."""
    losses, _ = Objective(job.encoder, job.terms).value_and_grad(job.image)
    return losses["content"].item(), losses["style"].item()
