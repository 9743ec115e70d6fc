"""One step downhill at a time: L-BFGS, Adam and plain gradient descent behind one interface."""

from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

StepperName = Literal["lbfgs", "adam", "gradient_descent"]
LEARNING_RATES = {"lbfgs": 1.0, "adam": 0.02, "gradient_descent": 0.01}
FIRST_STEP = 0.01  # mean change of a pixel in the first step of L-BFGS, which knows no scale yet
SHRINK = 0.25  # of a step of L-BFGS that led uphill
LOOK_BACK = 3  # steps of L-BFGS; uphill is what is higher than each of so many before
MOST_SHRINKS = 6  # after which the direction is given up with all that it was made from


class TorchStepper:
    """A torch optimiser that is handed loss and gradient instead of computing them.

    L-BFGS differs from torch's bare one in three ways. Its first step, which torch scales by
    1/Σ|g| so that float32 can round it away, changes a pixel by `FIRST_STEP` on average. A step
    that led uphill is taken back and made again at a quarter of its length: there is no line
    search, so that a step is normally one evaluation. Tolerances are off: none may end a run early.
    """

    def __init__(
        self,
        name: StepperName,
        image: Float[Tensor, "b 3 h w"],
        learning_rate: float | None = None,
        history: int = 10,
    ) -> None:
        """Start at a picture.

        Args:
            name: the method.
            image: where to start; it is copied.
            learning_rate: L-BFGS: factor of each step, 1; Adam: change of a pixel in a step, 0.02;
                gradient descent: mean change of a pixel in the first step, 0.01.
            history: number of earlier steps that L-BFGS remembers.
        """
        self.name: StepperName = name
        self.rate = LEARNING_RATES[name] if learning_rate is None else learning_rate
        self.history = history
        self.caution = 1.0
        self._start(image)

    def _start(self, image: Tensor) -> None:
        self.point = image.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
        self.origin = self.point.detach().clone()  # of the step in progress
        self.accepted: list[float] = []  # losses of the last points that L-BFGS stepped from
        self.shrinks = 0
        rate = self.rate * self.caution
        if self.name == "lbfgs":
            self.optimizer = torch.optim.LBFGS(
                [self.point],
                max_iter=1,
                history_size=self.history,
                tolerance_grad=-1,
                tolerance_change=-1,
            )
        elif self.name == "adam":
            self.optimizer = torch.optim.Adam([self.point], lr=rate, betas=(0.9, 0.99))
        else:
            self.optimizer = torch.optim.SGD([self.point], lr=rate)

    def advance(self, loss: Tensor, gradient: Tensor) -> Tensor:
        """The next picture, given loss and gradient at the one that was returned last.

        Args:
            loss: of the whole batch, one number.
            gradient: like the picture.

        Returns:
            The picture; the tensor is this stepper's own and changes with the next step.
        """
        if self.name == "lbfgs" and self._took_back(loss.item()):
            return self.point.detach()
        self.point.grad = gradient.contiguous()
        self.optimizer.step(lambda: loss)  # pyright: ignore[reportArgumentType]
        return self.point.detach()

    def _took_back(self, loss: float) -> bool:
        """Take an uphill step back, in part or whole, or note that the point is good to go on from.

        Returns:
            Whether the step was taken back, so that the point is to be evaluated again.
        """
        uphill = bool(self.accepted) and not loss <= max(self.accepted[-LOOK_BACK:])
        if uphill and self.shrinks == MOST_SHRINKS:
            self.restart(self.origin, caution=SHRINK)
            return True
        if uphill:
            self.shrinks += 1
            memory = self.optimizer.state[self.point]
            memory["t"] = memory["t"] * SHRINK  # by which torch multiplies the direction it keeps
            with torch.no_grad():
                self.point.copy_(torch.lerp(self.origin, self.point, SHRINK))
            return True
        self.shrinks = 0
        self.accepted = [*self.accepted[1 - LOOK_BACK :], loss]
        self.origin.copy_(self.point.detach())
        first = not self.optimizer.state[self.point].get("n_iter", 0)
        size = FIRST_STEP * self.caution * self.point.numel() if first else 1.0
        self.optimizer.param_groups[0]["lr"] = self.rate * size
        return False

    def restart(self, image: Tensor, caution: float = 1.0) -> None:
        """Go on from `image` with an empty memory and steps smaller by the factor `caution`."""
        self.caution *= caution
        self._start(image)

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on with the same bits."""
        own = {name: getattr(self, name) for name in ("caution", "origin", "accepted", "shrinks")}
        return {**own, "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any], image: Tensor) -> None:
        """Take up a state that `state_dict` gave, at the picture that `advance` gave last."""
        self._start(image)
        self.caution, self.accepted = state["caution"], state["accepted"]
        self.shrinks = state["shrinks"]
        self.origin = state["origin"].to(image.device)
        self.optimizer.load_state_dict(state["optimizer"])
