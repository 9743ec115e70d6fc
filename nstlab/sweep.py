"""Many runs: a grid of settings, in batches on one device or spread over an executor."""

import itertools
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, cast

from nstlab.estimate import Work, pictures_that_fit
from nstlab.job import Job, run_together
from nstlab.runs import Run
from nstlab.settings import Settings
from nstlab.stock import Stock
from nstlab.task import Options
from nstlab.transfer import JOBS

CPU_BATCH = 4  # pictures; more of them gain nothing on a CPU and cost memory


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
            for, on a CPU at most four. 1 gives the same bits as `run_one` alone.
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
    try:
        for run in _made(run_one, settings, batch, executor):
            runs.append(run)
            if on_run is not None:
                on_run(run)
    except KeyboardInterrupt:
        if not runs:
            raise
    return runs


def _made(
    run_one: Callable[[Settings], Run],
    settings: Sequence[Settings],
    batch: int | None,
    executor: Executor | None,
) -> Iterator[Run]:
    if executor is not None:
        return _spread(run_one, settings, executor)
    make = None if batch == 1 else _job_maker(run_one)
    if make is None:
        return _one_by_one(run_one, settings)
    return _in_batches([make(each) for each in settings], batch)


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


def _in_batches(jobs: Sequence[Job], batch: int | None) -> Iterator[Run]:
    kinds = [job.kind for job in jobs]
    made: dict[int, Run] = {}
    for index, (job, kind) in enumerate(zip(jobs, kinds, strict=True)):
        if index not in made:
            alike = [
                other
                for other in range(index, len(jobs))
                if other == index or (kind is not None and kinds[other] == kind)
            ]
            alike = [other for other in alike if other not in made]
            chosen = alike[: batch or _most(job)]
            runs = run_together([jobs[other] for other in chosen])
            made.update(zip(chosen, runs, strict=True))
            if any(run.ended == "interrupted" for run in runs):
                yield from (made[other] for other in sorted(made) if other >= index)
                return
        yield made[index]


def _most(job: Job) -> int:
    """How many runs like this one are best made together."""
    device, (height, width) = job.image.device, job.image.shape[2:]
    work = Work(
        settings=job.settings,
        encoder=job.encoder,
        loaded=True,
        device=device,
        shape=(height, width),
    )
    room = pictures_that_fit(work)
    if device.type == "cpu" or room is None:
        return max(1, min(CPU_BATCH, CPU_BATCH if room is None else room))
    return max(1, room)


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
