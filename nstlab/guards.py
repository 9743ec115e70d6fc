"""What keeps one picture of a run from harm: told each loss, it says when to start anew or end."""

from dataclasses import dataclass
from typing import Literal

PATIENCE = 60  # steps without a lower loss after which a picture starts anew, then ends
RESTARTS = 5  # fresh starts from the best picture before it is given up
EXPLODED = 2.0  # a loss this many times the start's means that the steps lead away …
LED_AWAY = 8  # … if so many in a row do; L-BFGS takes a few steps to mend one by itself

End = Literal["converged", "stalled", "failed"]


@dataclass
class Guard:
    """The judge of one picture; all it knows is numbers, so that it can wait for them in blocks.

    Attributes:
        start: the loss at the start.
        best: the lowest loss so far.
        best_step: where that was, or where the picture last started anew.
        restarts: how often it started anew since its steps led away.
        stalls: how often it started anew since nothing helped.
        high: how many losses in a row were far above the start's.
        ended: how the picture ended, or None while it goes on.
        ended_at: the step at which it did.
    """

    start: float = float("nan")
    best: float = float("inf")
    best_step: int = 0
    restarts: int = 0
    stalls: int = 0
    high: int = 0
    ended: End | None = None
    ended_at: int = 0

    def judge(self, step: int, loss: float, *, finite: bool, flat: bool) -> str:
        """Take note of one evaluation.

        Args:
            step: its number, 0 for the start.
            loss: what was found.
            finite: whether loss and gradient are.
            flat: whether the gradient is zero everywhere.

        Returns:
            Why the picture must go back to its best state with smaller steps, or, where `ended`
            says how it ended, why it ended; empty while all is well.
        """
        if self.ended is not None:
            return ""
        if step == 0:
            self.start = loss
        if finite and loss < self.best:
            self.best, self.best_step = loss, step
        if finite and flat:
            self.ended, self.ended_at = "converged", step
            return ""
        self.high = self.high + 1 if loss > EXPLODED * self.start else 0
        if not finite or self.high == LED_AWAY:
            self.high = 0
            self.restarts += 1
            reason = f"the loss is {loss:.3g}, at the start it was {self.start:.3g}"
            if loss - loss == 0 and not finite:
                reason = "the gradient is not finite"
            return self._go_back(reason, step, "failed" if self.restarts > RESTARTS else None)
        if step - self.best_step >= PATIENCE:
            self.stalls += 1
            reason = f"no lower loss in {PATIENCE} steps"
            return self._go_back(reason, step, "stalled" if self.stalls > 1 else None)
        return ""

    def _go_back(self, reason: str, step: int, ended: End | None) -> str:
        self.ended, self.ended_at = ended, step
        self.best_step = step  # patience counts from here
        if ended is None:
            return f"{reason}; back to the best picture, with smaller steps"
        return f"{reason}; ended with the best picture so far"
