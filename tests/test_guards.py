"""What a guard says to a row of losses."""

import math

from nstlab.guards import EXPLODED, LED_AWAY, PATIENCE, RESTARTS, Guard


def judge(guard: Guard, losses: list[float], first: int = 0) -> list[str]:
    return [
        guard.judge(step, loss, finite=math.isfinite(loss), flat=False)
        for step, loss in enumerate(losses, first)
    ]


def test_a_falling_loss_leaves_it_silent() -> None:
    guard = Guard()
    assert not any(judge(guard, [1 / (k + 1) for k in range(500)]))
    assert (guard.best, guard.best_step, guard.ended) == (1 / 500, 499, None)


def test_no_gradient_is_the_end_and_nothing_is_said_after_it() -> None:
    guard = Guard()
    assert guard.judge(0, 1.0, finite=True, flat=True) == ""
    assert guard.ended == "converged"
    assert guard.judge(1, float("nan"), finite=False, flat=False) == ""


def test_losses_far_above_the_start_send_it_back_only_if_they_stay() -> None:
    high = 1.01 * EXPLODED
    guard = Guard()
    assert not any(judge(guard, [1.0, *[high] * (LED_AWAY - 1), 0.9]))
    said = judge(guard, [high] * LED_AWAY, first=LED_AWAY + 1)
    assert not any(said[:-1])
    assert "the loss is 2.02, at the start it was 1" in said[-1]
    assert "back to the best picture" in said[-1]


def test_a_picture_that_stays_broken_fails() -> None:
    guard = Guard()
    said = judge(guard, [1.0, *[float("nan")] * (RESTARTS + 1)])
    assert all("back to the best picture" in text for text in said[1:-1])
    assert "ended with the best picture so far" in said[-1]
    assert guard.ended == "failed"


def test_a_gradient_that_is_not_finite_is_named() -> None:
    guard = Guard()
    guard.judge(0, 1.0, finite=True, flat=False)
    assert guard.judge(1, 0.5, finite=False, flat=False).startswith("the gradient is not finite")
    assert guard.best == 1.0


def test_patience_counts_from_the_last_restart_and_ends_with_the_second() -> None:
    guard = Guard()
    said = judge(guard, [1.0] * (2 * PATIENCE + 1))
    spoken = [step for step, text in enumerate(said) if text]
    assert spoken == [PATIENCE, 2 * PATIENCE]
    assert guard.ended == "stalled"
