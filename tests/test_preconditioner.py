"""The matrix that L-BFGS starts from: what it is, what it learns, and that it pays."""

import math
from copy import deepcopy

import pytest
import torch
from torch import Tensor

from nstlab.lbfgs import LBFGS
from nstlab.optimize import minimize
from nstlab.preconditioner import (
    FINEST,
    KEPT,
    LEAST,
    LOWEST,
    POWER,
    PRECONDITIONERS,
    Preconditioner,
)
from nstlab.runs import Step
from nstlab.runtime import generator
from nstlab.settings import Settings
from nstlab.transfer import stylize

SHAPES = [(2, 3, 8, 8), (1, 3, 7, 10), (1, 3, 6, 9), (1, 3, 5, 1)]
ALL = torch.ones(2, dtype=torch.bool)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=generator(seed), dtype=torch.float64)


def show(made: Preconditioner, step: Tensor, change: Tensor, which: Tensor) -> None:
    made.see((step, change), torch.stack([step.norm(dim=1), change.norm(dim=1)], 1), which)


def taught(shape: tuple[int, ...]) -> Preconditioner:
    """One that has seen three steps."""
    made = Preconditioner(noise(*shape))
    for seed in (1, 2, 3):
        step, change = noise(*shape, seed=seed), noise(*shape, seed=10 + seed)
        show(made, step.flatten(1), change.flatten(1), ALL[: shape[0]])
    return made


def applied(made: Preconditioner, vector: Tensor) -> Tensor:
    result = vector.clone()
    made.apply_(result)
    return result


def as_matrix(made: Preconditioner, shape: tuple[int, ...]) -> Tensor:
    """H₀ of the first picture, column by column."""
    count = noise(*shape)[0].numel()
    one = Preconditioner(noise(1, *shape[1:]))
    one.root = made.root[:1]
    rows = torch.eye(count, dtype=torch.float64)
    return torch.stack([applied(one, row[None])[0] for row in rows], 1)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_symmetric_and_positive(shape):
    made = taught(shape)
    matrix = as_matrix(made, shape)
    assert torch.allclose(matrix, matrix.mT, atol=1e-12, rtol=0)
    assert torch.linalg.eigvalsh(matrix).min() > 0
    vector = noise(*shape, seed=5).flatten(1)
    square = (vector * applied(made, vector)).sum(1)
    assert torch.allclose(made.square(vector), square, atol=0, rtol=1e-12)
    assert torch.allclose(made.square(3 * vector), 9 * square, atol=0, rtol=1e-12)


@pytest.mark.parametrize("length", [64, 32, 8, 5, 2])
def test_slow_changes_move_further_than_fine_ones_as_the_formula_says(length):
    rows = torch.arange(320.0, dtype=torch.float64)
    wave = torch.cos(2 * torch.pi * rows / length).expand(1, 3, 8, 320)
    made, row = Preconditioner(wave), wave.flatten(1)
    applied(made, row)
    finest, own = FINEST**-POWER, max(1 / length, LOWEST) ** -POWER
    passed = math.cos(math.pi / length) ** 2  # of the wave's energy, by the blocks
    assert made.mean_weight.item() == pytest.approx(finest + passed * (own - finest), rel=1e-9)


def test_an_even_change_moves_furthest():
    even = torch.ones(1, 3, 8, 8, dtype=torch.float64)
    assert torch.allclose(
        applied(Preconditioner(even), even.flatten(1)) / LOWEST**-POWER, even.flatten(1)
    )


def test_pixels_that_bend_less_move_further_as_the_formula_says():
    shape = (1, 3, 6, 8)
    steps = [noise(*shape, seed=seed).flatten(1) for seed in (1, 2, 3)]
    changes = [noise(*shape, seed=seed).flatten(1) for seed in (4, 5, 6)]
    made = Preconditioner(noise(*shape))
    for step, change in zip(steps, changes, strict=True):
        show(made, step, change, ALL[:1])

    def sums(rows: list[Tensor]) -> Tensor:
        first, second, third = (row.square() / row.square().mean() for row in rows)
        return KEPT**2 * first + KEPT * second + third + LEAST

    expected = (sums(steps) / sums(changes)) ** (1 / 8)
    ratio = made.root / expected
    assert torch.allclose(ratio, ratio.mean(), rtol=1e-12, atol=0)


def test_a_pixel_that_never_changes_leaves_all_finite_and_bounded():
    step, change = noise(1, 3, 4, 4).flatten(1), noise(1, 3, 4, 4, seed=1).flatten(1)
    step[0, :5] = change[0, 2:9] = 0
    made = Preconditioner(noise(1, 3, 4, 4))
    show(made, step, change, ALL[:1])
    assert torch.isfinite(made.root).all()
    most = (step.shape[1] / LEAST + 1) ** (1 / 8)  # all of s² at one pixel, nothing of y²
    assert made.root.max() <= made.root.min() * most**2


def test_what_is_not_to_be_learnt_is_not():
    made = taught((2, 3, 8, 8))
    before = deepcopy(made)
    step = noise(2, 3, 8, 8, seed=7).flatten(1)
    step[1] = torch.nan
    show(made, step, step.square(), torch.tensor([True, False]))
    for name in ("moved", "bent", "means", "root"):
        now, then = getattr(made, name), getattr(before, name)
        assert torch.equal(now[1], then[1]), name
        assert not torch.equal(now[0], then[0]), name


def test_in_float32_it_stays_finite_and_positive_at_all_sizes_that_are_learnt():
    made = Preconditioner(noise(1, 3, 8, 8).float())
    sizes = [(1.0, 1.0), (1e-8, 1e6), (1e6, 1e-8), (1e-8, 1e-8), (1e6, 1e6), (1e-8, 1e6)]
    for seed, (moved, bent) in enumerate(sizes):
        step = moved * (noise(1, 3, 8, 8, seed=seed).flatten(1).float() - 0.5)
        change = bent * (noise(1, 3, 8, 8, seed=9 + seed).flatten(1).float() - 0.5)
        show(made, step, change, ALL[:1])
        assert torch.isfinite(made.root).all() and (made.root > 0).all(), (moved, bent)


def test_a_direction_is_the_two_loop_recursions_with_this_matrix():
    shape = (1, 3, 6, 7)
    curvature, image = 0.1 + noise(*shape, seed=2), noise(*shape)
    made = Preconditioner(image)
    stepper, pairs, before = LBFGS(image, history=4, preconditioner=made), [], None
    for step in range(11):
        weight = made.mean_weight[0].clone()
        gradient = curvature * image
        loss = (curvature * image.square()).sum((1, 2, 3)) / 2
        moved = stepper.advance(loss, gradient)
        if before is not None:
            s, y = (image - before[0]).flatten(), (gradient - before[1]).flatten()
            pairs = [*pairs, (s, y)][-4:]
            square = weight * (made.root[0] * y).square().sum()  # by the weight of the step before
            q, kept = gradient.flatten(), []
            for s, y in reversed(pairs):
                kept.append((s @ q) / (s @ y))
                q = q - kept[-1] * y
            s, y = pairs[-1]
            r = applied(made, q[None])[0] * (s @ y) / square
            for (s, y), a in zip(pairs, reversed(kept), strict=True):
                r = r + s * (a - (y @ r) / (s @ y))
            assert torch.allclose((image - moved).flatten(), r, rtol=1e-6, atol=1e-13), step
        before, image = (image, gradient), moved


class Bowl:
    """½ Σ d (x − x*)²."""

    def __init__(self, wanted: Tensor, curvature: Tensor | float = 1.0) -> None:
        self.wanted, self.curvature = wanted, curvature

    def value_and_grad(self, image):
        off = image - self.wanted
        gradient = self.curvature * off
        return {"total": (gradient * off).flatten(1).sum(1) / 2}, gradient


def test_a_diagonal_far_from_one_is_learnt():
    """A quadratic whose pixels differ ten thousandfold: D finds out which ones are flat."""
    start, curvature = noise(1, 3, 12, 12), 10 ** (-4 * noise(1, 3, 12, 12, seed=1))
    objective = Bowl(noise(1, 3, 12, 12, seed=2), curvature)
    adaptive = minimize(objective, start, steps=60, preconditioner="adaptive")
    none = minimize(objective, start, steps=60, preconditioner="none")
    assert adaptive.curve()[-1] < 0.5 * none.curve()[-1]


@pytest.mark.parametrize(
    ("size", "start", "part"),
    [(64, "noise", 0.97), (64, "content", 0.9), (128, "noise", 0.9), (128, "content", 0.9)],
)
def test_a_run_gets_further_in_as_many_steps(size, start, part):
    settings = Settings(size=size, steps=15, start=start)
    ends = {}
    for name in PRECONDITIONERS:
        run = stylize("china", "swirls_1", settings.change(preconditioner=name))
        assert run.recipe["settings"]["preconditioner"] == name
        ends[name] = min(run.curve())
    assert ends["adaptive"] < part * ends["none"]


def test_a_batch_comes_to_the_same_as_each_picture_alone():
    start, wanted = noise(2, 3, 8, 12), noise(1, 3, 8, 12, seed=1)
    objective = Bowl(wanted, 0.01 + noise(1, 3, 8, 12, seed=2))
    both = minimize(objective, start, steps=20, preconditioner="adaptive")
    for number in range(2):
        alone = minimize(objective, start[number : number + 1], steps=20, preconditioner="adaptive")
        assert torch.allclose(both.image[number], alone.image[0], atol=1e-8, rtol=0)


def test_a_stopped_run_goes_on_with_the_same_bits(tmp_path):
    file, start = tmp_path / "run", noise(1, 3, 8, 12)
    objective = Bowl(noise(1, 3, 8, 12, seed=1), 0.01 + noise(1, 3, 8, 12, seed=2))

    def stop(step: Step) -> None:
        if step.step == 5:
            raise StopIteration

    options = {"steps": 12, "preconditioner": "adaptive"}
    whole = minimize(objective, start, **options)
    minimize(objective, start, on_step=stop, checkpoint=file, **options)
    resumed = minimize(objective, start, checkpoint=file, **options)
    assert torch.equal(resumed.image, whole.image) and resumed.curve() == whole.curve()


def test_an_unknown_name_says_what_there_is(unchecked_types):
    with pytest.raises(ValueError, match="'diagonal'; it can be none, adaptive"):
        Settings(preconditioner="diagonal")  # pyright: ignore[reportArgumentType]
    start = noise(1, 3, 8, 8)
    with pytest.raises(ValueError, match="unknown preconditioner 'diagonal'; there is: none, ad"):
        minimize(Bowl(start), start, steps=1, preconditioner="diagonal")  # pyright: ignore


def test_records_from_before_there_were_preconditioners_mean_none():
    data = Settings().as_data()
    assert Settings.from_data(data).preconditioner == "adaptive"
    del data["preconditioner"]
    assert Settings.from_data(data).preconditioner == "none"


def test_a_device_that_is_not_the_cpu_is_asked_nothing():
    image = torch.zeros(2, 3, 40, 40, device="meta")  # has no values: to ask for one is an error
    stepper = LBFGS(image, history=3, preconditioner=Preconditioner(image))
    for _ in range(5):
        stepper.advance(torch.ones(2, device="meta"), torch.ones_like(image))
