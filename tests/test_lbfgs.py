"""Batched L-BFGS: formulas, the textbook's two-loop recursion and scipy as oracles, acceptance."""

import pytest
import scipy.optimize
import torch
from torch import Tensor

from nstlab import lbfgs, masks
from nstlab.lbfgs import CHUNK, FIRST_STEP, LBFGS, LOOK_BACK, MOST_SHRINKS, SHRINK
from nstlab.masks import surely
from nstlab.runtime import generator


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=generator(seed), dtype=torch.float64)


def valley(image: Tensor) -> tuple[Tensor, Tensor]:
    """Rosenbrock's function in as many dimensions as the picture has numbers, and its gradient."""
    point = image.detach().requires_grad_()
    x = point.flatten(1)
    value = (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(1)
    (gradient,) = torch.autograd.grad(value.sum(), point)
    return value.detach(), gradient


def go_down(image: Tensor, steps: int, history: int = 10) -> tuple[Tensor, list[Tensor]]:
    stepper, losses = LBFGS(image, history=history), []
    for _ in range(steps):
        loss, gradient = valley(image)
        losses.append(loss)
        image = stepper.advance(loss, gradient)
    return image, losses


def two_loops(pairs: list[tuple[Tensor, Tensor]], gradient: Tensor) -> Tensor:
    """−H g by the two-loop recursion (Nocedal 1980), oldest pair first."""
    q, kept = gradient.clone(), []
    for s, y in reversed(pairs):
        a = (s @ q) / (s @ y)
        q = q - a * y
        kept.append(a)
    s, y = pairs[-1]
    r = q * ((s @ y) / (y @ y))
    for (s, y), a in zip(pairs, reversed(kept), strict=True):
        r = r + s * (a - (y @ r) / (s @ y))
    return -r


@pytest.mark.parametrize("size", [(4, 5), (50, 60), (64, 64)])  # less than a chunk, 2.2, 3
@pytest.mark.parametrize("history", [1, 3, 10])
def test_directions_are_those_of_the_two_loop_recursion(
    history: int, size: tuple[int, int]
) -> None:
    curvature = 0.1 + random(1, 3, *size, seed=2)
    image = random(1, 3, *size)
    stepper, pairs, before = LBFGS(image, history=history), [], None
    for step in range(2 * history + 3):
        gradient = curvature * image
        loss = (curvature * image.square()).sum((1, 2, 3)) / 2
        moved = stepper.advance(loss, gradient)
        if before is not None:
            s, y = (image - before[0]).flatten(), (gradient - before[1]).flatten()
            pairs = [*pairs, (s, y)][-history:]
            expected = two_loops(pairs, gradient.flatten())
            assert torch.allclose((moved - image).flatten(), expected, rtol=1e-6, atol=1e-14), step
        before, image = (image, gradient), moved


def test_the_valley_is_followed_to_its_end_no_later_than_by_scipy() -> None:
    start = random(1, 3, 2, 2)
    image, losses = go_down(start, 300)

    def ask(flat) -> tuple[float, object]:
        loss, gradient = valley(torch.from_numpy(flat).view(1, 3, 2, 2))
        return loss.item(), gradient.flatten().numpy()

    oracle = scipy.optimize.minimize(
        ask, start.flatten().numpy(), jac=True, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-9}
    )
    reached = [float(loss) for loss in losses]
    assert min(reached) < 1e-15
    assert torch.allclose(image, torch.ones_like(image), atol=1e-6)
    first = next(step for step, loss in enumerate(reached) if loss <= max(oracle.fun, 1e-15))
    assert first < 2 * oracle.nfev


def test_a_batch_makes_the_same_steps_as_each_picture_alone() -> None:
    starts = torch.cat([random(1, 3, 3, 3, seed=seed) * (1 + seed) for seed in range(4)])
    together, losses = go_down(starts, 50)
    for index in range(4):
        alone, own = go_down(starts[index : index + 1], 50)
        assert torch.allclose(together[index : index + 1], alone, rtol=0, atol=1e-8)
        assert torch.allclose(
            torch.stack(losses)[:, index : index + 1], torch.stack(own), rtol=1e-8, atol=1e-8
        )
    history = torch.stack(losses)
    uphill = history[1:] > history[:-1]
    assert uphill.any(0).sum() >= 2, "some steps must be taken back for this test to mean anything"


def test_the_first_step_changes_a_pixel_by_a_set_amount_whatever_the_scale() -> None:
    image, gradient = random(2, 3, 4, 4), random(2, 3, 4, 4, seed=1) - 0.5
    factors = torch.tensor([1e-12, 1e12], dtype=torch.float64)
    stepper = LBFGS(image)
    moved = stepper.advance(torch.ones(2), gradient * factors.view(2, 1, 1, 1))
    change = (moved - image).abs().mean((1, 2, 3))
    assert change.tolist() == pytest.approx([FIRST_STEP] * 2)


def test_a_step_uphill_is_shortened_and_then_given_up() -> None:
    image, gradient = random(1, 3, 4, 4), torch.ones(1, 3, 4, 4, dtype=torch.float64)
    stepper = LBFGS(image)
    first = stepper.advance(torch.tensor([1.0]), gradient) - image
    for shrinks in range(1, MOST_SHRINKS + 1):
        moved = stepper.advance(torch.tensor([1e6]), 7 * gradient)
        assert torch.allclose(moved - image, first * SHRINK**shrinks, rtol=1e-6)
    assert not stepper.curvature.any()
    after = stepper.advance(torch.tensor([torch.nan]), gradient) - image
    assert torch.allclose(after, first * SHRINK)


def test_uphill_is_what_is_higher_than_each_of_the_last_few() -> None:
    image, gradient = random(1, 3, 4, 4), torch.ones(1, 3, 4, 4, dtype=torch.float64)
    stepper = LBFGS(image)
    for loss in (5.0, 1.0, 2.0, 3.0):  # of the last three before 3.0 the highest was 5.0
        stepper.advance(torch.tensor([loss]), gradient)
        assert stepper.shrinks.item() == 0
    assert LOOK_BACK == 3
    stepper.advance(torch.tensor([3.5]), gradient)
    assert stepper.shrinks.item() == 1


def test_negative_curvature_is_not_learnt() -> None:
    image = random(1, 3, 4, 4)
    stepper = LBFGS(image)
    for loss in (3.0, 2.0, 1.0):
        image = stepper.advance(torch.tensor([loss]), -image)  # a hill
    assert not stepper.curvature.any()
    assert torch.isfinite(image).all()


def test_a_restart_concerns_the_pictures_named() -> None:
    starts, elsewhere = random(2, 3, 3, 3), random(2, 3, 3, 3, seed=4)
    stepper, untouched, image, other = LBFGS(starts), LBFGS(starts), starts, starts
    for _ in range(5):
        image, other = stepper.advance(*valley(image)), untouched.advance(*valley(other))
    image = stepper.restart(elsewhere, torch.tensor([False, True]), caution=0.5)
    assert torch.equal(image[1], elsewhere[1])
    assert torch.equal(image[0], other[0])
    after, other = stepper.advance(*valley(image)), untouched.advance(*valley(other))
    assert torch.equal(after[0], other[0])
    change = (after[1] - elsewhere[1]).abs().mean().item()
    assert change == pytest.approx(FIRST_STEP / 2)
    for _ in range(60):
        after = stepper.advance(*valley(after))
    assert (valley(after)[0] < valley(elsewhere)[0]).all()


def test_a_gradient_that_is_no_number_spoils_no_memory() -> None:
    starts = random(2, 3, 3, 3)
    stepper, image = LBFGS(starts), starts
    for _ in range(5):
        image = stepper.advance(*valley(image))
    loss, gradient = valley(image)
    for _ in range(MOST_SHRINKS + 2):
        bad = torch.tensor([loss[0], torch.nan], dtype=torch.float64)
        image = stepper.advance(bad, torch.full_like(gradient, torch.nan))
        assert torch.isfinite(image[1]).all()
    image = stepper.restart(starts, torch.tensor([True, True]))
    for _ in range(60):
        image = stepper.advance(*valley(image))
    assert (valley(image)[0] < 0.5 * valley(starts)[0]).all()
    assert torch.isfinite(stepper.memory).all()


def test_a_state_taken_up_goes_on_with_the_same_bits() -> None:
    image = random(2, 3, 3, 3)
    stepper = LBFGS(image, history=4)
    for _ in range(7):
        image = stepper.advance(*valley(image))
    state = {
        name: v.clone() if isinstance(v, Tensor) else v for name, v in stepper.state_dict().items()
    }
    other, same = LBFGS(torch.zeros_like(image), history=4), image
    other.load_state_dict(state)
    for _ in range(7):
        image, same = stepper.advance(*valley(image)), other.advance(*valley(same))
    assert torch.equal(image, same)


def test_what_is_told_apart_on_the_cpu_gives_the_same_bits_as_what_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = same = torch.cat([random(1, 3, 3, 3, seed=seed) * (1 + seed) for seed in range(4)])
    stepper, plain, mixed = LBFGS(image), LBFGS(image), 0
    for step in range(50):
        loss, gradient = valley(image)
        if 20 <= step < 30:
            loss[2] = torch.inf  # so long that its direction is given up
        image = stepper.advance(loss, gradient)
        with monkeypatch.context() as patch:
            for module in (lbfgs, masks):  # as on a GPU
                patch.setattr(module, "surely", lambda mask: False)
            same = plain.advance(loss, gradient)
        for name in lbfgs.STATE:
            mine, its = getattr(stepper, name), getattr(plain, name)
            assert torch.equal(torch.as_tensor(mine), torch.as_tensor(its)), (step, name)
        uphill = stepper.shrinks > 0
        mixed += bool(uphill.any() and not uphill.all())
        assert torch.equal(image, same)
    assert mixed > MOST_SHRINKS, (
        "some must go uphill while others do not for this test to mean anything"
    )


def test_a_device_that_is_not_the_cpu_is_asked_nothing() -> None:
    image = torch.zeros(2, 3, 40, 40, device="meta")  # has no values: to ask for one is an error
    mask = torch.ones(2, dtype=torch.bool, device="meta")
    with pytest.raises((RuntimeError, NotImplementedError)):
        bool(mask.all())
    assert not surely(mask)
    stepper = LBFGS(image, history=3)
    for _ in range(5):
        stepper.advance(torch.ones(2, device="meta"), torch.ones_like(image))
    assert stepper.restart(image, mask).shape == image.shape


def test_what_was_handed_over_may_be_changed_afterwards() -> None:
    image = same = random(2, 3, 3, 3)
    stepper, other = LBFGS(image), LBFGS(same)
    buffer = torch.empty_like(image)
    for step in range(20):
        if step == 10:
            image = stepper.restart(image, torch.tensor([True, True]))
            mine = same.clone()
            same = other.restart(mine, torch.tensor([True, True]))
            mine.fill_(torch.nan)
        loss, gradient = valley(same)
        buffer.copy_(gradient)
        image, same = stepper.advance(*valley(image)), other.advance(loss, buffer)
        buffer.fill_(torch.nan)
        assert torch.equal(image, same), step


@pytest.mark.parametrize("length", [1, CHUNK, CHUNK + 1, 3 * CHUNK - 1])
def test_products_by_chunks_are_those_of_whole_rows(length: int) -> None:
    rows, few, factors = random(2, 7, length), random(2, 2, length, seed=1), random(2, 7, seed=2)
    chunks = -(-length // CHUNK)
    fill = (0, chunks * CHUNK - length)
    parts, some = (
        torch.nn.functional.pad(each, fill).unflatten(2, (chunks, CHUNK)) for each in (rows, few)
    )
    inner, mixed = lbfgs._inner(some, parts), lbfgs._mix(factors, parts)
    assert torch.allclose(inner, few @ rows.mT, rtol=1e-12)
    assert torch.allclose(mixed[:, :length], (factors[:, None] @ rows)[:, 0], rtol=1e-12)
    for index in range(2):  # the other picture of the batch does not even change the last bits
        own = slice(index, index + 1)
        assert torch.equal(lbfgs._inner(some[own], parts[own])[0], inner[index])
        assert torch.equal(lbfgs._mix(factors[own], parts[own])[0], mixed[index])


def test_float32_products_of_long_rows_are_exact_to_seven_digits() -> None:
    rows = torch.rand(1, 1, 100, CHUNK, generator=generator(3))
    exact = rows.double().square().sum().item()
    assert lbfgs._inner(rows, rows).item() == pytest.approx(exact, rel=2e-7)
