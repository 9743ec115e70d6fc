"""What a run goes down: a weighted sum of terms over the features of one encoder.

The optimiser knows nothing but `value_and_grad`, so an objective of another kind (tiles, another
library) takes this one's place by having that method.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.encoders import Encoder
from nstlab.gram import gram_matrix
from nstlab.losses import (
    Normalization,
    check_normalization,
    content_loss,
    range_loss,
    style_loss,
    variation_loss,
)
from nstlab.runtime import convolutions

IMAGE = "image"  # the picture itself, handed to the terms as if it were a layer
TOTAL = "total"  # the weighted sum, beside the terms' own names


@runtime_checkable
class Term(Protocol):
    """One summand of an objective: a name, a weight, the layers it reads, and a value to compute.

    Anything with these four can be minimised; `LayerTerm` covers the usual case.
    """

    name: str
    weight: float | Tensor

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose features the term reads; `image` is the picture itself."""
        ...

    def __call__(self, features: Mapping[str, Tensor]) -> Float[Tensor, " b"]:
        """The term's value for each picture, without its weight."""
        ...


@dataclass
class LayerTerm:
    """A sum over layers: Σ_l w_l · cost(features of layer l, target of layer l).

    Attributes:
        name: how the losses of a run call it.
        targets: what each layer is compared with, by layer name; the keys choose the layers.
        cost: takes one layer's features and its target, gives one value for each picture.
        layer_weights: w_l by layer name: a number, or a tensor (b,) with one for each picture;
            equal shares that sum to 1 where it is empty.
        weight: the factor of the whole term: a number, or a tensor (b,). It may be changed between
            steps of a running optimisation.
    """

    name: str
    targets: Mapping[str, Tensor]
    cost: Callable[[Tensor, Tensor], Tensor]
    layer_weights: Mapping[str, float | Tensor] = field(default_factory=dict)
    weight: float | Tensor = 1.0

    def __post_init__(self) -> None:
        if not self.targets:
            raise ValueError(f"the {self.name} term has no layer; name at least one")
        if not self.layer_weights:
            self.layer_weights = dict.fromkeys(self.targets, 1 / len(self.targets))
        if self.layer_weights.keys() != self.targets.keys():
            raise ValueError(
                f"the {self.name} term has targets for {', '.join(self.targets)} but weights for "
                f"{', '.join(self.layer_weights)}; give one weight for each layer"
            )

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that the term reads."""
        return tuple(self.targets)

    def __call__(self, features: Mapping[str, Tensor]) -> Float[Tensor, " b"]:
        """Σ_l w_l · cost(features[l], targets[l]) for each picture."""
        return torch.stack([self.part(name, features[name]) for name in self.targets]).sum(0)

    def part(self, layer: str, features: Tensor) -> Float[Tensor, " b"]:
        """One summand, w_l · cost(features, targets[l])."""
        return self.layer_weights[layer] * self.cost(features, self.targets[layer])


def content_term(
    features: Mapping[str, Tensor],
    layer_weights: Mapping[str, float | Tensor] | None = None,
    normalization: Normalization = "relative",
    weight: float | Tensor = 1.0,
) -> LayerTerm:
    """The content term: `content_loss` at each layer, weighted.

    Args:
        features: the content picture's features by layer name.
        layer_weights: by layer name; equal shares that sum to 1 where None.
        normalization: a name of `content_loss`.
        weight: α.

    Returns:
        A term for an `Objective`.
    """
    check_normalization(normalization)
    targets = {name: value.detach() for name, value in features.items()}

    def cost(value: Tensor, target: Tensor) -> Tensor:
        return content_loss(value, target, normalization)

    return LayerTerm("content", targets, cost, layer_weights or {}, weight)


def style_term(
    grams: Mapping[str, Tensor],
    layer_weights: Mapping[str, float | Tensor] | None = None,
    normalization: Normalization = "relative",
    weight: float | Tensor = 1.0,
) -> LayerTerm:
    """The style term: `style_loss` at each layer, weighted.

    Args:
        grams: the style picture's Gram matrices A/M by layer name, as `blend_grams` gives them.
        layer_weights: by layer name; equal shares that sum to 1 where None.
        normalization: a name of `style_loss`.
        weight: β.

    Returns:
        A term for an `Objective`.
    """
    check_normalization(normalization)
    targets = {name: value.detach() for name, value in grams.items()}

    def cost(value: Tensor, target: Tensor) -> Tensor:
        return style_loss(gram_matrix(value), target, normalization)

    return LayerTerm("style", targets, cost, layer_weights or {}, weight)


def blend_grams(
    features: Sequence[Mapping[str, Tensor]], shares: Sequence[float] | None = None
) -> dict[str, Tensor]:
    """The Gram matrices of one or several style pictures, mixed in the given shares.

    Args:
        features: for each style picture its features by layer name.
        shares: one number ≥ 0 for each picture, divided by their sum; equal where None.

    Returns:
        Σ_i share_i · A_i/M_i by layer name.

    Raises:
        ValueError: no picture, a number of shares that does not fit, or shares that are negative
            or all zero.
    """
    grams = [{name: gram_matrix(each) for name, each in picture.items()} for picture in features]
    return mix_grams(grams, shares)


def mix_grams(
    grams: Sequence[Mapping[str, Tensor]], shares: Sequence[float] | None = None
) -> dict[str, Tensor]:
    """`blend_grams` for Gram matrices A/M that are computed already."""
    shares = [1.0] * len(grams) if shares is None else list(shares)
    if not grams or len(shares) != len(grams):
        raise ValueError(f"{len(grams)} style pictures and {len(shares)} shares do not fit")
    total = sum(shares)
    if min(shares) < 0 or not total > 0:
        raise ValueError(f"shares of the styles are {shares}; none may be negative, nor all zero")
    mixed: dict[str, Tensor] = {}
    for share, picture in zip(shares, grams, strict=True):
        for name, value in picture.items():
            part = value * (share / total)
            mixed[name] = mixed[name] + part if name in mixed else part
    return mixed


def variation_term(weight: float | Tensor = 1.0, exponent: float = 1.25) -> LayerTerm:
    """The variation term: `variation_loss` of the picture, as a term for an `Objective`."""

    def cost(image: Tensor, _target: Tensor) -> Tensor:
        return variation_loss(image, exponent)

    return LayerTerm("variation", {IMAGE: torch.empty(0)}, cost, weight=weight)


def range_term(weight: float | Tensor = 1.0) -> LayerTerm:
    """The range term: `range_loss` of the picture, as a term for an `Objective`."""

    def cost(image: Tensor, _target: Tensor) -> Tensor:
        return range_loss(image)

    return LayerTerm("range", {IMAGE: torch.empty(0)}, cost, weight=weight)


class Objective:
    """The weighted sum of terms as a function of the picture, with its gradient by autograd.

    Attributes:
        precision: of the encoder.
        terms: by name; `objective.terms["style"].weight = 10` acts from the next evaluation on.
    """

    def __init__(self, encoder: Encoder, terms: Sequence[Term]) -> None:
        """Check the terms and note which layers they read.

        Args:
            encoder: gives the features.
            terms: at least one, each with a name of its own other than `total`.

        Raises:
            ValueError: no term, a name used twice, or a layer that the encoder does not have.
        """
        self.encoder, self.precision = encoder, encoder.precision
        self.terms = {term.name: term for term in terms}
        if not terms or len(self.terms) < len(terms) or TOTAL in self.terms:
            names = ", ".join(term.name for term in terms) or "none"
            raise ValueError(
                f"terms are: {names}; an objective needs at least one, each with a name of its "
                f"own, and {TOTAL!r} is taken by their sum"
            )
        needed = dict.fromkeys(layer for term in terms for layer in term.layers)
        self.layers = tuple(layer for layer in needed if layer != IMAGE)
        encoder.check_layers(self.layers)

    def value_and_grad(
        self, image: Float[Tensor, "b 3 h w"]
    ) -> tuple[dict[str, Float[Tensor, " b"]], Float[Tensor, "b 3 h w"]]:
        """All losses at one picture, and the gradient of their weighted sum.

        Args:
            image: RGB, normally in [0, 1]; the pictures of a batch do not affect one another.

        Returns:
            The terms' values for each picture by name, without their weights, and under `total`
            the weighted sum; then d total / d image.
        """
        with torch.enable_grad(), convolutions(self.encoder.precision):
            point = image.detach().requires_grad_()
            losses = self._losses(point)
            total = torch.stack([losses[name] * self.terms[name].weight for name in losses]).sum(0)
            (gradient,) = torch.autograd.grad(total.sum(), point)
        values = {name: loss.detach() for name, loss in losses.items()}
        return {**values, TOTAL: total.detach()}, gradient

    def _losses(self, point: Tensor) -> dict[str, Tensor]:
        """Each term's value; the parts of a plain sum as soon as their layer is there."""
        sums = {
            name: term
            for name, term in self.terms.items()
            if isinstance(term, LayerTerm) and type(term).__call__ is LayerTerm.__call__
        }
        parts: dict[str, list[Tensor]] = {name: [] for name in sums}
        others = {name: term for name, term in self.terms.items() if name not in sums}
        asked = {layer for term in others.values() for layer in term.layers}
        kept = {}
        walk = self.encoder.walk(point, self.layers) if self.layers else ()
        for layer, features in chain([(IMAGE, point)], walk):
            for name, term in sums.items():
                if layer in term.targets:
                    parts[name].append(term.part(layer, features))
            if layer in asked:
                kept[layer] = features
        for name, term in sums.items():
            if len(parts[name]) != len(term.targets):
                raise ValueError(f"the {name} term reads other layers now; make a new objective")
        values = {name: torch.stack(found).sum(0) for name, found in parts.items()}
        values.update({name: term(kept) for name, term in others.items()})
        return {name: values[name] for name in self.terms}
