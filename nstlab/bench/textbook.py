"""The loop of every tutorial, to compare with: a plain `nn.Sequential` and torch's L-BFGS.

Nothing here is slow on purpose. Weights are frozen, targets are computed once, the layout is NCHW,
the type float32, and torch's switches are as torch sets them (on a GPU its convolutions may use
TF32).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from nstlab.bench.sequential import textbook_network
from nstlab.encoders import Encoder
from nstlab.layers import layer_index
from nstlab.losses import EPSILON

HISTORY_STATE = ("old_dirs", "old_stps", "ro")  # what torch's L-BFGS remembers of each step


def textbook_gram(features: Float[Tensor, "1 c h w"]) -> Float[Tensor, "c c"]:
    """The Gram matrix of one picture's features, divided by the number of positions."""
    _, channels, height, width = features.shape
    flat = features.view(channels, height * width)
    return flat @ flat.t() / (height * width)


@dataclass(frozen=True)
class TextbookRun:
    """What came of a run.

    Attributes:
        losses: the total at each evaluation.
        seconds: from the start to the end of each evaluation; what is done here to keep the best
            picture is not counted.
        best: the picture of the lowest loss.
    """

    losses: list[float]
    seconds: list[float]
    best: Float[Tensor, "1 3 h w"]


class TextbookLoop:
    """The default objective (normalisation `relative`, layers in equal shares) for one picture."""

    def __init__(
        self,
        encoder: Encoder,
        content: Float[Tensor, "1 3 h w"],
        style: Float[Tensor, "1 3 i j"],
        *,
        content_layers: Sequence[str],
        style_layers: Sequence[str],
        content_weight: float,
        style_weight: float,
        range_weight: float,
    ) -> None:
        """Build the network and compute the targets.

        Args:
            encoder: gives layers and weights; one of float32.
            content: the photograph, RGB in [0, 1].
            style: the painting.
            content_layers: where content is compared.
            style_layers: where Gram matrices are compared.
            content_weight: α.
            style_weight: β.
            range_weight: factor of the mean squared excess over [0, 1].

        Raises:
            ValueError: see `textbook_network`.
        """
        place = {name: layer_index(encoder.name, name) + 1 for name in encoder.layers}
        encoder.check_layers([*content_layers, *style_layers])
        deepest = max((*content_layers, *style_layers), key=place.__getitem__)
        self.network = textbook_network(encoder, deepest)
        self.content_layers = [place[name] for name in content_layers]
        self.style_layers = [place[name] for name in style_layers]
        self.content_weight = content_weight / len(content_layers)
        self.style_weight = style_weight / len(style_layers)
        self.range_weight = range_weight
        with torch.no_grad():
            seen, painted = self.features(content), self.features(style)
            self.targets = {layer: seen[layer] for layer in self.content_layers}
            self.grams = {layer: textbook_gram(painted[layer]) for layer in self.style_layers}
        self.energy = {layer: _energy(target) for layer, target in self.targets.items()}
        self.gram_energy = {layer: _energy(target) for layer, target in self.grams.items()}

    def features(self, image: Float[Tensor, "1 3 h w"]) -> dict[int, Tensor]:
        """What the wanted modules put out, by their index."""
        wanted = {*self.content_layers, *self.style_layers}
        kept = {}
        for index, module in enumerate(self.network):
            image = module(image)
            if index in wanted:
                kept[index] = image
        return kept

    def loss(self, image: Float[Tensor, "1 3 h w"]) -> Float[Tensor, ""]:
        """α · content + β · style + range."""
        seen = self.features(image)
        total = self.range_weight * F.mse_loss(image, image.clamp(0, 1))
        for layer, target in self.targets.items():
            error = F.mse_loss(seen[layer], target, reduction="sum") / self.energy[layer]
            total = total + self.content_weight * error
        for layer, target in self.grams.items():
            gram = textbook_gram(seen[layer])
            error = F.mse_loss(gram, target, reduction="sum") / self.gram_energy[layer]
            total = total + self.style_weight * error
        return total

    def value_and_grad(
        self, image: Float[Tensor, "1 3 h w"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "1 3 h w"]]:
        """The loss at a picture, and its gradient."""
        point = image.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
        loss = self.closure(point)
        return loss, torch.zeros_like(point) if point.grad is None else point.grad

    def closure(self, image: Tensor) -> Float[Tensor, ""]:
        """What a tutorial's closure does: clear the gradient, compute the loss, go back.

        Args:
            image: the parameter (1, 3, h, w), whose `grad` is set.

        Returns:
            The loss, without its graph.
        """
        image.grad = None  # as optimizer.zero_grad() does
        loss = self.loss(image)
        loss.backward()
        return loss.detach()

    def run(self, start: Float[Tensor, "1 3 h w"], evaluations: int) -> TextbookRun:
        """Call `step` of `torch.optim.LBFGS([x])` until so many evaluations are made.

        Args:
            start: where to start; not changed.
            evaluations: of loss and gradient, 1 or more.

        Returns:
            The run.

        Raises:
            ValueError: no evaluation.
        """
        if evaluations < 1:
            raise ValueError(f"evaluations is {evaluations}; it must be at least 1")
        image = start.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
        best, lowest = image.detach().clone(), float("inf")
        optimizer = torch.optim.LBFGS([image])
        losses: list[float] = []
        seconds: list[float] = []
        aside, begun = 0.0, time.perf_counter()

        def closure() -> Tensor:
            nonlocal lowest, aside
            loss = self.closure(image)
            value = loss.item()  # L-BFGS reads it as well, so that nobody waits for this
            now = time.perf_counter()
            losses.append(value)
            seconds.append(now - begun - aside)
            if value < lowest:
                lowest = value
                best.copy_(image.detach())
            if len(losses) == evaluations:
                raise _Enough
            aside += time.perf_counter() - now
            return loss

        try:
            while True:
                optimizer.step(closure)
        except _Enough:
            return TextbookRun(losses, seconds, best)


class _Enough(Exception):
    """All evaluations are made."""


def lbfgs_with_full_history(
    image: Float[Tensor, "1 3 h w"], closure: Callable[[], Tensor]
) -> torch.optim.LBFGS:
    """`torch.optim.LBFGS([image])` as it is after so many steps that its memory is full.

    Three steps are made; then their pairs are repeated, each as a copy of its own, until there are
    as many as L-BFGS keeps (100). Time and memory of a step are from then on those of a long run,
    the direction is not: this is for measuring only.

    Args:
        image: the parameter; it is changed.
        closure: as `step` takes it; needs one evaluation for each of the three steps.

    Returns:
        The optimiser, with its defaults.
    """
    optimizer = torch.optim.LBFGS([image])
    group = optimizer.param_groups[0]
    usual, group["max_iter"] = group["max_iter"], 1  # one evaluation a step
    for _ in range(3):
        optimizer.step(closure)  # pyright: ignore[reportArgumentType]
    group["max_iter"] = usual
    state = optimizer.state[image]
    pairs = len(state["old_dirs"])
    for number in range(group["history_size"] - pairs if pairs else 0):
        for name in HISTORY_STATE:
            old = state[name][-1 - number % pairs]
            state[name].insert(0, old.clone())
    return optimizer


def _energy(target: Tensor) -> Tensor:
    """The scale of `relative`."""
    return target.square().sum() + EPSILON * target.numel()
