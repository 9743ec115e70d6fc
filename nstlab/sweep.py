"""Many runs: a grid of settings, one after the other or spread over an executor."""

import itertools
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any

from nstlab.runs import Run
from nstlab.settings import Settings


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
    executor: Executor | None = None,
    on_run: Callable[[Run], object] | None = None,
) -> list[Run]:
    """Make one run for each of several settings.

    For example `sweep(partial(stylize, "china", "swirls_1"), grid(style_weight=[1, 10, 100]))`.
    To load the encoder once, hand it over: `partial(stylize, ..., encoder=load_encoder())`.

    Args:
        run_one: makes a run from settings; for an executor of processes it must be picklable, as
            a `functools.partial` of a function is and a lambda is not.
        settings: one for each run, as `grid` gives them.
        executor: any `concurrent.futures.Executor`, which spreads the runs (Dask's
            `client.get_executor()` is one); None to make one after the other here. Processes must
            be started by `spawn`: ProcessPoolExecutor(mp_context=get_context("spawn")).
        on_run: called with each run in order, as soon as it and those before it are there.

    Returns:
        The runs in the order of `settings`. Ctrl-C ends the sweep with the runs made so far, the
        interrupted one included.

    Raises:
        KeyboardInterrupt: Ctrl-C before there was any run.
        Exception: what `run_one` raises; runs that have not begun are given up.
    """
    runs: list[Run] = []
    try:
        for run in _made(run_one, settings, executor):
            runs.append(run)
            if on_run is not None:
                on_run(run)
            if run.ended == "interrupted":
                break
    except KeyboardInterrupt:
        if not runs:
            raise
    return runs


def _made(
    run_one: Callable[[Settings], Run], settings: Sequence[Settings], executor: Executor | None
) -> Iterator[Run]:
    if executor is None:
        yield from map(run_one, settings)
        return
    waiting = [executor.submit(_packed, run_one, each) for each in settings]
    try:
        for future in waiting:
            yield pickle.loads(future.result())
    finally:
        for future in waiting:
            future.cancel()


def _packed(run_one: Callable[[Settings], Run], settings: Settings) -> bytes:
    """The run as bytes: tensors would otherwise travel through shared memory, which can be full."""
    return pickle.dumps(run_one(settings))
