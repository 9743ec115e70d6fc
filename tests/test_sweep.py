import pickle
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import pytest
import torch
from torch import Tensor

from nstlab.encoders import Encoder
from nstlab.job import Job, run_together
from nstlab.objective import Objective
from nstlab.runs import Run
from nstlab.settings import Settings
from nstlab.sweep import grid, sweep
from nstlab.task import Task
from nstlab.transfer import invert, stylize

SMALL = Settings(size=64, steps=2)


def run_named(settings: Settings) -> Run:
    """A run that did nothing, to be told apart by its seed."""
    ended = "interrupted" if settings.seed == 2 else "finished"
    image = torch.full((1, 3, 2, 2), float(settings.seed))
    return Run(image, {"total": torch.zeros(1, 1)}, ended=ended, recipe=settings.as_data())


def seeds(runs: list[Run]) -> list[int]:
    return [run.recipe["seed"] for run in runs]


def test_a_grid_is_the_product_with_the_last_axis_fastest():
    several = grid(SMALL, style_weight=[1, 10], optimizer=["lbfgs", "adam", "scipy"])
    found = [(each.style_weight, each.optimizer) for each in several]
    assert found == [(w, o) for w in (1, 10) for o in ("lbfgs", "adam", "scipy")]
    assert all(each.size == SMALL.size and each.steps == SMALL.steps for each in several)


def test_a_grid_without_axes_is_the_settings_alone():
    assert grid(SMALL) == [SMALL]
    assert grid() == [Settings()]


def test_a_grid_of_layers_takes_each_tuple_as_one_value():
    several = grid(SMALL, content_layers=[("relu2_1",), ("relu3_1", "relu4_1")])
    assert [each.content_layers for each in several] == [("relu2_1",), ("relu3_1", "relu4_1")]


def test_a_grid_refuses_unknown_settings_single_values_and_empty_axes():
    with pytest.raises(ValueError, match="did you mean 'style_weight'"):
        grid(style_wieght=[1])
    with pytest.raises(ValueError, match="it must be at least 16"):
        grid(size=[64, 5])
    with pytest.raises(TypeError, match=r"such as \[5\]"):
        grid(size=5)
    with pytest.raises(TypeError, match=r"such as \['adam'\]"):
        grid(optimizer="adam")
    with pytest.raises(ValueError, match="size has no values"):
        grid(size=[])


def test_a_sweep_makes_a_run_for_each_in_order(photo: Tensor, tiny_encoder: Encoder):
    one = partial(stylize, photo, photo.flip(3), encoder=tiny_encoder)
    told: list[Run] = []
    several = grid(SMALL, style_weight=[1.0, 100.0])
    runs = sweep(one, several, on_run=told.append)
    assert [run.recipe["settings"]["style_weight"] for run in runs] == [1.0, 100.0]
    assert len(told) == 2
    assert all(a is b for a, b in zip(told, runs, strict=True))
    assert {run.machine["batch"] for run in runs} == {2}
    for run, settings in zip(runs, several, strict=True):
        assert torch.allclose(run.image, one(settings).image, atol=1e-4)


def test_a_batch_of_one_gives_the_bits_of_a_run_alone(photo: Tensor, tiny_encoder: Encoder):
    one = partial(stylize, photo, photo.flip(3), encoder=tiny_encoder)
    several = grid(SMALL, style_weight=[1.0, 100.0])
    for run, settings in zip(sweep(one, several, batch=1), several, strict=True):
        assert torch.equal(run.image, one(settings).image)
    with pytest.raises(ValueError, match="batch is 0; it must be at least 1"):
        sweep(one, several, batch=0)


def test_runs_of_several_kinds_come_in_the_order_of_their_settings(
    photo: Tensor, tiny_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
):
    batches: list[int] = []

    def counting(jobs: list[Job]) -> list[Run]:
        batches.append(len(jobs))
        return run_together(jobs)

    monkeypatch.setattr("nstlab.sweep.run_together", counting)
    one = partial(invert, photo, encoder=tiny_encoder)
    several = grid(SMALL, seed=[0, 1, 2], content_layers=[("relu1_1",), ("relu2_1",)])
    runs = sweep(one, several, batch=2)
    assert [run.recipe["settings"]["content_layers"] for run in runs] == [
        list(each.content_layers) for each in several
    ]
    assert seeds([Run(r.image, r.losses, recipe=r.recipe["settings"]) for r in runs]) == [
        *(0, 0, 1, 1, 2, 2)
    ]
    assert batches == [2, 2, 1, 1]


def test_an_interrupted_batch_ends_the_sweep_and_keeps_all_its_pictures(
    photo: Tensor, tiny_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
):
    asked, evaluations = Objective.value_and_grad, []

    def interrupt_at_three(self: Objective, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        evaluations.append(len(image))
        if len(evaluations) == 3:
            signal.raise_signal(signal.SIGINT)
        return asked(self, image)

    monkeypatch.setattr(Objective, "value_and_grad", interrupt_at_three)
    one = partial(stylize, photo, photo.flip(3), encoder=tiny_encoder)
    runs = sweep(one, grid(SMALL.change(steps=50), seed=[0, 1, 2, 3], start=["noise"]), batch=3)
    assert evaluations == [3, 3, 3]
    assert [(run.ended, run.steps) for run in runs] == [("interrupted", 2)] * 3


def test_runs_made_ahead_are_not_lost(photo: Tensor, tiny_encoder: Encoder):
    one = partial(stylize, photo, photo.flip(3), encoder=tiny_encoder)
    told: list[Run] = []

    def watch(run: Run) -> None:
        told.append(run)
        if len(told) == 1:
            raise KeyboardInterrupt

    runs = sweep(one, grid(SMALL, seed=[0, 1, 2], start=["noise"]), batch=3, on_run=watch)
    assert [run.recipe["settings"]["seed"] for run in runs] == [0, 1, 2]
    assert len(told) == 3


def test_a_batch_that_is_too_large_for_the_device_is_halved(
    photo: Tensor, tiny_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
):
    tried: list[int] = []

    def narrow(jobs: list[Job]) -> list[Run]:
        tried.append(len(jobs))
        if len(jobs) > 1:
            raise torch.OutOfMemoryError
        return run_together(jobs)

    monkeypatch.setattr("nstlab.sweep.run_together", narrow)
    one = partial(stylize, photo, photo.flip(3), encoder=tiny_encoder)
    runs = sweep(one, grid(SMALL, seed=[0, 1, 2, 3], start=["noise"]), batch=4)
    assert [run.recipe["settings"]["seed"] for run in runs] == [0, 1, 2, 3]
    assert tried == [4, 2, 1, 1, 1, 1]


def test_targets_are_computed_once_for_all_runs(
    photo: Tensor, tiny_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
):
    seen: list[int] = []
    asked = Task.features

    def counting(self: Task, *given: Any) -> dict[str, Tensor]:
        seen.append(1)
        return asked(self, *given)

    monkeypatch.setattr(Task, "features", counting)
    one = partial(stylize, photo, photo.flip(3), encoder=tiny_encoder)
    sweep(one, grid(SMALL, style_weight=[1.0, 2.0, 3.0]))
    assert len(seen) == 2


def test_what_was_given_to_the_partial_reaches_the_runs(photo: Tensor, tiny_encoder: Encoder):
    named = partial(stylize, content=photo, style=photo.flip(3), encoder=tiny_encoder)
    runs = sweep(partial(named, frame_every=1), grid(SMALL, seed=[0, 1]))
    assert [list(run.frames) for run in runs] == [[0, 1, 2]] * 2
    with pytest.raises(TypeError, match="frame_evry"):
        sweep(partial(stylize, photo, photo, frame_evry=1), [SMALL])  # pyright: ignore


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_an_interrupted_run_ends_the_sweep(threads: int):
    several = grid(SMALL, seed=[0, 1, 2, 3, 4])
    if threads == 0:
        runs = sweep(run_named, several)
    else:
        with ThreadPoolExecutor(threads) as pool:
            runs = sweep(run_named, several, executor=pool)
    assert seeds(runs) == [0, 1, 2]
    assert runs[-1].ended == "interrupted"


def test_ctrl_c_between_runs_keeps_what_there_is():
    def one(settings: Settings) -> Run:
        if settings.seed == 1:
            raise KeyboardInterrupt
        return run_named(settings)

    assert seeds(sweep(one, grid(SMALL, seed=[0, 1, 3]))) == [0]
    with pytest.raises(KeyboardInterrupt):
        sweep(one, grid(SMALL, seed=[1, 0]))


def test_an_error_of_a_run_comes_through():
    def one(settings: Settings) -> Run:
        raise ValueError("no such picture")

    with pytest.raises(ValueError, match="no such picture"):
        sweep(one, [SMALL])
    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="no such picture"):
        sweep(one, [SMALL, SMALL], executor=pool)


def test_no_settings_no_runs():
    assert sweep(run_named, []) == []


def test_processes_give_the_same_bits(photo: Tensor, tmp_path):
    several = grid(SMALL, seed=[3, 4], start=["noise"])
    one = partial(stylize, photo, photo.flip(3), device="cpu")
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        spread = sweep(one, several, executor=pool)
    here = sweep(one, several, batch=1)
    assert [run.recipe["settings"]["seed"] for run in spread] == [3, 4]
    for a, b in zip(spread, here, strict=True):
        assert torch.equal(a.image, b.image)
        assert a.recipe == b.recipe


def test_a_run_travels_as_bytes():
    run = run_named(SMALL)
    assert torch.equal(pickle.loads(pickle.dumps(run)).image, run.image)
