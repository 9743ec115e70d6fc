"""Many runs: a grid of settings, in batches on one device or spread over an executor."""

import itertools
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, cast

import torch

from nstlab.estimate import Work, pictures_that_fit
from nstlab.job import Job, run_together
from nstlab.runs import Run
from nstlab.settings import Settings
from nstlab.stock import Stock
from nstlab.task import Options
from nstlab.transfer import JOBS

CPU_BATCH = 4  # pictures; more of them gain nothing on a CPU and cost memory
GPU_BATCH = 16


def grid(settings: Settings | None = None, **axes: Any) -> list[Settings]:  # noqa: ANN401
    """All combinations of some values, each as settings; the last axis changes fastest.

    Args:
        settings: what stays the same; None for the defaults.
        **axes: by the name of a setting, a sequence of the values that it takes.

    Returns:
        As many settings as the product of the axes' lengths.

    Raises:
        ValueError: no such setting, a value that is not allowed, or an axis without values.
        TypeError: a single value in place of a sequence.

    Example:
        >>> several = grid(style_weight=[1, 10], size=[128, 256])
        >>> [(each.style_weight, each.size) for each in several]
        [(1.0, 128), (1.0, 256), (10.0, 128), (10.0, 256)]
    """
    base = settings or Settings()
    for name, values in axes.items():
        if isinstance(values, str) or not hasattr(values, "__len__"):
            raise TypeError(f"{name} is {values!r}; give a list of values, such as [{values!r}]")
        if not len(values):
            raise ValueError(f"{name} has no values; give at least one")
    combinations = itertools.product(*axes.values())
    return [base.change(**dict(zip(axes, values, strict=True))) for values in combinations]


def sweep(
    run_one: Callable[[Settings], Run],
    settings: Sequence[Settings],
    *,
    batch: int | None = None,
    executor: Executor | None = None,
    on_run: Callable[[Run], object] | None = None,
) -> list[Run]:
    """Make one run for each of several settings.

    For example `sweep(partial(stylize, "china", "swirls_1"), grid(style_weight=[1, 10, 100]))`.
    The runs of a `partial` of `stylize`, `invert` or `synthesize_texture` are made in batches:
    those whose pictures have the same shape, layers, normalisation and steps go down together, each
    with its own weights and start (see `Job.kind`). Encoder and pictures are loaded once.

    Args:
        run_one: makes a run from settings; for an executor of processes it must be picklable, as
            a `functools.partial` of a function is and a lambda is not.
        settings: one for each run, as `grid` gives them.
        batch: how many runs at most are made together; None for as many as the memory has room
            for, at most 4 on a CPU and 16 elsewhere. 1 gives the same bits as `run_one` alone.
        executor: any `concurrent.futures.Executor`, which spreads the runs (Dask's
            `client.get_executor()` is one), each alone; None to make them here. Processes must be
            started by `spawn`: ProcessPoolExecutor(mp_context=get_context("spawn")).
        on_run: called with each run in order, as soon as it and those before it are there.

    Returns:
        The runs in the order of `settings`. Ctrl-C ends the sweep with the runs made so far, the
        interrupted ones included.

    Raises:
        ValueError: `batch` is below 1.
        KeyboardInterrupt: Ctrl-C before there was any run.
        Exception: what `run_one` raises; runs that have not begun are given up.
    """
    if batch is not None and batch < 1:
        raise ValueError(f"batch is {batch}; it must be at least 1")
    runs: list[Run] = []
    ahead: dict[int, Run] = {}  # made with an earlier one, and not yet told of

    def tell(run: Run) -> None:
        runs.append(run)
        if on_run is not None:
            on_run(run)

    try:
        for run in _made(run_one, settings, batch, executor, ahead):
            tell(run)
    except BaseException as error:
        for index in sorted(ahead):
            tell(ahead[index])
        if not isinstance(error, KeyboardInterrupt) or not runs:
            raise
    return runs


def _made(
    run_one: Callable[[Settings], Run],
    settings: Sequence[Settings],
    batch: int | None,
    executor: Executor | None,
    ahead: dict[int, Run],
) -> Iterator[Run]:
    if executor is not None:
        return _spread(run_one, settings, executor)
    make = _job_maker(run_one)
    if make is None:
        return _one_by_one(run_one, settings)
    return _in_batches([make(each) for each in settings], batch, ahead)


def _one_by_one(run_one: Callable[[Settings], Run], settings: Sequence[Settings]) -> Iterator[Run]:
    for each in settings:
        run = run_one(each)
        yield run
        if run.ended == "interrupted":
            return


def _spread(
    run_one: Callable[[Settings], Run], settings: Sequence[Settings], executor: Executor
) -> Iterator[Run]:
    waiting = [executor.submit(_packed, run_one, each) for each in settings]
    try:
        for future in waiting:
            run = pickle.loads(future.result())
            yield run
            if run.ended == "interrupted":
                return
    finally:
        for future in waiting:
            future.cancel()


def _in_batches(jobs: Sequence[Job], batch: int | None, ahead: dict[int, Run]) -> Iterator[Run]:
    waiting: dict[int, Job] = dict(enumerate(jobs))
    most = {job.kind: batch or _most(job) for job in jobs}
    for index in range(len(jobs)):
        if index in waiting:
            kind = waiting[index].kind
            alike = [other for other, job in waiting.items() if job.kind == kind]
            chosen = [index] if kind is None else alike[: most[kind]]
            while True:
                try:
                    runs = run_together([waiting[other] for other in chosen])
                    break
                except torch.OutOfMemoryError:
                    if len(chosen) == 1:
                        raise
                    most[kind] = len(chosen) // 2
                    chosen = chosen[: most[kind]]
            for other, run in zip(chosen, runs, strict=True):
                ahead[other] = run
                del waiting[other]
            if any(run.ended == "interrupted" for run in runs):
                yield from (ahead.pop(other) for other in sorted(ahead))
                return
        yield ahead.pop(index)


def _most(job: Job) -> int:
    """How many runs like this one are best made together."""
    on_cpu, (height, width) = job.image.device.type == "cpu", job.image.shape[2:]
    work = Work(
        settings=job.settings,
        encoder=job.encoder,
        loaded=True,
        device=job.image.device,
        kind=job.recipe["task"],
        shape=(height, width),
        frames=job.settings.steps // every + 2 if (every := job.watched.get("frame_every")) else 0,
    )
    room = pictures_that_fit(work)
    limit = CPU_BATCH if on_cpu else GPU_BATCH
    return limit if room is None else max(1, min(limit, room))


def _job_maker(run_one: Callable[[Settings], Run]) -> Callable[[Settings], Job] | None:
    """How to prepare the runs of `run_one`, if it is known how."""
    whole = run_one if isinstance(run_one, partial) else partial(run_one)
    make = JOBS.get(whole.func)
    if make is None:
        return None
    stock, names = Stock(), Options.__annotations__
    options = {name: value for name, value in whole.keywords.items() if name in names}
    others = {name: value for name, value in whole.keywords.items() if name not in names}

    def job(settings: Settings) -> Job:
        given = cast(Options, options)
        return make(*whole.args, **others, settings=settings, options=given, stock=stock)

    return job


def _packed(run_one: Callable[[Settings], Run], settings: Settings) -> bytes:
    """The run as bytes: tensors would otherwise travel through shared memory, which can be full."""
    return pickle.dumps(run_one(settings))
