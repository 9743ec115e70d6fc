"""One step downhill at a time: what the loop asks of a method, and the two simple ones."""

from typing import Any, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nstlab.runtime import widest

StepperName = Literal["lbfgs", "adam", "gradient_descent"]
LEARNING_RATES = {"lbfgs": 1.0, "adam": 0.02, "gradient_descent": 0.01}


@runtime_checkable
class Stepper(Protocol):
    """A method that is handed losses and gradients instead of computing them.

    The pictures of a batch do not know of one another, and nothing is asked of the host.
    """

    def advance(
        self, loss: Float[Tensor, " b"], gradient: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, "b 3 h w"]:
        """The next picture, given loss and gradient at the one that was returned last."""
        ...

    def restart(
        self, image: Float[Tensor, "b 3 h w"], which: Bool[Tensor, " b"], caution: float = 1.0
    ) -> Float[Tensor, "b 3 h w"]:
        """Go on from `image` with an empty memory and steps smaller by the factor `caution`.

        Of the pictures that `which` marks; the picture to evaluate next is returned.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on with the same bits."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state that `state_dict` gave."""
        ...


class GradientDescent:
    """x ← x − rate · g."""

    state = ("point", "caution")

    def __init__(self, image: Float[Tensor, "b 3 h w"], rate: float) -> None:
        """Start at a picture.

        Args:
            image: where to start; it is copied.
            rate: factor of the gradient.
        """
        self.rate = rate
        self.point = image.detach().clone()
        self.caution = torch.ones_like(self.point[:, :1, :1, :1])

    def advance(
        self, loss: Float[Tensor, " b"], gradient: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, "b 3 h w"]:
        """The next picture; see `Stepper`."""
        self.point = self.point - self.rate * self.caution * gradient
        return self.point

    def restart(
        self, image: Float[Tensor, "b 3 h w"], which: Bool[Tensor, " b"], caution: float = 1.0
    ) -> Float[Tensor, "b 3 h w"]:
        """Go on from elsewhere; see `Stepper`."""
        chosen = which[:, None, None, None]
        self.point = torch.where(chosen, image.detach(), self.point)
        self.caution = torch.where(chosen, self.caution * caution, self.caution)
        return self.point

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on with the same bits."""
        return {name: getattr(self, name) for name in self.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state that `state_dict` gave."""
        for name in self.state:
            setattr(self, name, state[name].to(self.point.device))


class Adam(GradientDescent):
    """x ← x − rate · m̂ / (√v̂ + ε), with running means m of g and v of g².

    β₁ = 0.9, β₂ = 0.99 (torch's 0.999 is for noisy gradients; these have no noise).

    Reference:
        Kingma, Ba 2014, arXiv:1412.6980, algorithm 1.
    """

    state = (*GradientDescent.state, "mean", "square", "count")
    betas = (0.9, 0.99)
    epsilon = 1e-8

    def __init__(self, image: Float[Tensor, "b 3 h w"], rate: float) -> None:
        """Start at a picture.

        Args:
            image: where to start; it is copied.
            rate: change of a pixel in a step.
        """
        super().__init__(image, rate)
        self.mean, self.square = torch.zeros_like(self.point), torch.zeros_like(self.point)
        self.count = torch.zeros_like(self.caution, dtype=widest(image.device))

    def advance(
        self, loss: Float[Tensor, " b"], gradient: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, "b 3 h w"]:
        """The next picture; see `Stepper`."""
        first, second = self.betas
        self.count = self.count + 1
        self.mean = torch.lerp(self.mean, gradient, 1 - first)
        self.square = torch.lerp(self.square, gradient.square(), 1 - second)
        unbiased = (1 - second**self.count).sqrt() / (1 - first**self.count)
        factor = (self.rate * self.caution * unbiased).to(gradient.dtype)
        small = (self.epsilon * (1 - second**self.count).sqrt()).to(gradient.dtype)
        self.point = self.point - factor * self.mean / (self.square.sqrt() + small)
        return self.point

    def restart(
        self, image: Float[Tensor, "b 3 h w"], which: Bool[Tensor, " b"], caution: float = 1.0
    ) -> Float[Tensor, "b 3 h w"]:
        """Go on from elsewhere; see `Stepper`."""
        chosen = which[:, None, None, None]
        for name in ("mean", "square", "count"):
            value = getattr(self, name)
            setattr(self, name, torch.where(chosen, torch.zeros_like(value), value))
        return super().restart(image, which, caution)
