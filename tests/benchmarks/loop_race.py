"""One race: the textbook loop and ours in turns, both watched without costing them anything."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf, isfinite
from statistics import median
from typing import Any

import torch
from jaxtyping import Float
from lite_runs import markdown
from torch import Tensor

from nstlab import minimize
from nstlab.bench.clock import synchronise
from nstlab.bench.problem import Problem
from nstlab.bench.textbook import TextbookLoop, TextbookRun
from nstlab.objective import Objective
from nstlab.plots.style import INK, OTHER_COLOURS, Plot, tidy
from nstlab.preconditioner import Preconditioner, PreconditionerName
from nstlab.runtime import generator

STARTS = ("noise", "content")
CLOSE = 1.01  # times the textbook's lowest loss: as good as it
NEAR = 1.1  # times that loss in the run's own precision: worth a look in float32
FIRST, EVERY = 20, 10  # points of our curve: each of the first evaluations, then every tenth


@dataclass
class Watched:
    """An objective that keeps each picture and when it was evaluated; no device waits for it."""

    objective: Objective
    pictures: list[Tensor] = field(default_factory=list)
    stamps: list[Any] = field(default_factory=list)  # seconds, or a GPU's events

    def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """What the objective gives."""
        if not self.stamps:
            self.stamps.append(_stamp(image.device))  # the start
        self.pictures.append(image.detach().clone())
        found = self.objective.value_and_grad(image)
        self.stamps.append(_stamp(image.device))
        return found

    def seconds(self) -> list[float]:
        """From the first evaluation's begin to the end of each; call it after the run."""
        first, *others = self.stamps
        if isinstance(first, float):
            return [each - first for each in others]
        return [first.elapsed_time(each) / 1000 for each in others]


def _stamp(device: torch.device) -> Any:
    if device.type != "cuda":
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def start_picture(problem: Problem, start: str) -> Float[Tensor, "1 3 h w"]:
    """The picture to start from: uniform noise, or the photograph."""
    if start == "content":
        return problem.content
    noise = torch.rand(problem.content.shape, generator=generator(0))
    return noise.to(problem.content)


def measure(
    problem: Problem,
    start: str,
    precision: str,
    *,
    preconditioners: Sequence[PreconditionerName],
    evaluations: int,
    steps: int,
    repeats: int,
    tell: Callable[[str], object],
) -> tuple[list[dict[str, Any]], list[Tensor]]:
    """Let the textbook's loop and ours run in turns, ours with each of the preconditioners.

    Both have been evaluated once before the first turn, so that no clock sees what torch does at
    the first use. Targets are computed before the clock starts, in both.

    Args:
        problem: encoder, pictures, layers.
        start: one of `STARTS`.
        precision: of ours.
        preconditioners: of ours.
        evaluations: of the textbook loop.
        steps: of ours.
        repeats: turns.
        tell: is told how each turn went.

    Returns:
        For each preconditioner `ratio`, the median over the turns (None where most did not get
        there), and `turns` with both curves; then the best picture of the textbook loop and of
        ours with each preconditioner, from the last turn.
    """
    loop, objective = problem.textbook(), problem.objective(precision)
    picture = start_picture(problem, start)
    loop.value_and_grad(picture)
    objective.value_and_grad(picture)
    Preconditioner(picture).apply_(picture.flatten(1).clone())
    turns, pictures = {name: [] for name in preconditioners}, []
    for turn in range(repeats):
        synchronise(picture.device)
        theirs = loop.run(picture, evaluations)
        best = {}
        for name in preconditioners[:: 1 if turn % 2 == 0 else -1]:
            found, best[name] = _ours(loop, theirs, objective, picture, steps, name)
            turns[name].append(found)
            tell(
                f"  turn {turn + 1} of {repeats}: textbook {found['textbook']['lowest']:.4g} in "
                f"{found['textbook']['seconds'][-1]:.1f} s; ours, {name}, "
                f"{found['ours']['lowest']:.4g} in {found['ours']['seconds'][-1]:.1f} s, as good "
                + (f"after {found['reached']:.1f} s" if found["reached"] is not None else "never")
            )
        pictures = [theirs.best.cpu(), *(best[name] for name in preconditioners)]
    cases = []
    for name, several in turns.items():
        middle = median(inf if each["ratio"] is None else each["ratio"] for each in several)
        case = {"start": start, "precision": precision, "preconditioner": name}
        cases.append({**case, "ratio": middle if isfinite(middle) else None, "turns": several})
    return cases, pictures


def _ours(
    loop: TextbookLoop,
    theirs: TextbookRun,
    objective: Objective,
    start: Tensor,
    steps: int,
    preconditioner: PreconditionerName,
) -> tuple[dict[str, Any], Tensor]:
    lowest = min(filter(isfinite, theirs.losses))
    watched = Watched(objective)
    synchronise(start.device)
    run = minimize(watched, start, steps=steps, preconditioner=preconditioner)
    synchronise(start.device)
    seconds = watched.seconds()
    own = run.curve()  # in the precision of the run
    exact = _exact(loop, watched.pictures, own, CLOSE * lowest)
    first = min((k for k, loss in exact.items() if loss <= CLOSE * lowest), default=None)
    reached = None if first is None else seconds[first]
    points = sorted(exact)
    return {
        "ratio": None if reached is None else reached / theirs.seconds[-1],
        "reached": reached,
        "reached_at": first,
        "textbook": {"losses": theirs.losses, "seconds": theirs.seconds, "lowest": lowest},
        "ours": {
            "evaluations": points,
            "losses": [exact[k] for k in points],
            "seconds": [seconds[k] for k in points],
            "lowest": min(exact.values()),
            "ended": run.ended,
        },
    }, run.image


@torch.no_grad()
def _exact(
    loop: TextbookLoop, pictures: Sequence[Tensor], own: Sequence[float], wanted: float
) -> dict[int, float]:
    """Losses in float32 by the textbook's network: of the curve's points, and of those near L.

    From the first picture that comes near on, each one is evaluated until one is good enough.
    """
    count = min(len(pictures), len(own))
    best = min(range(count), key=lambda k: own[k] if isfinite(own[k]) else inf)
    looked_at = {*range(min(FIRST, count)), *range(0, count, EVERY), count - 1, best}
    exact = {k: loop.loss(pictures[k]).item() for k in sorted(looked_at)}
    for k in range(count):
        if exact.get(k, inf) <= wanted:
            break
        if own[k] <= NEAR * wanted and k not in exact:
            exact[k] = loop.loss(pictures[k]).item()
            if exact[k] <= wanted:
                break
    return exact


def table(cases: Sequence[Mapping[str, Any]]) -> str:
    """The ratios as Markdown; seconds and losses are those of the middle turn."""
    rows = [
        [
            *(
                "encoder",
                "start",
                "preconditioner",
                "precision",
                "textbook, s",
                "to its loss, s",
                "ratio (all turns)",
            ),
            *("to reach", "evaluations", "lowest loss / textbook's"),
        ]
    ]
    for case in cases:
        turn = middle_turn(case)
        goal = case.get("to_reach")
        rows.append(
            [
                case["encoder"],
                case["start"],
                case["preconditioner"],
                case["precision"],
                f"{turn['textbook']['seconds'][-1]:.1f}",
                _number(turn["reached"], ".1f"),
                f"{_number(case['ratio'], '.3f')} "
                f"({', '.join(_number(each['ratio'], '.3f') for each in case['turns'])})",
                "" if goal is None else f"≤ {goal}",
                "none" if turn["reached_at"] is None else str(turn["reached_at"] + 1),
                f"{turn['ours']['lowest'] / turn['textbook']['lowest']:.3f}",
            ]
        )
    return markdown(rows)


def middle_turn(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """The turn whose ratio is the median, or the lower of the two in the middle."""
    ordered = sorted(
        case["turns"], key=lambda each: inf if each["ratio"] is None else each["ratio"]
    )
    return ordered[(len(ordered) - 1) // 2]


def plot(cases: Sequence[Mapping[str, Any]]) -> Plot:
    """Loss against seconds, a panel for each encoder and start, a curve for each preconditioner."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for case in cases:
        groups.setdefault((case["encoder"], case["start"]), []).append(case)
    columns = min(2, len(groups))
    rows = ceil(len(groups) / columns)
    figure = Plot((4.4 * columns, 3.0 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for axes in panels[len(groups) :]:
        axes.remove()
    for axes, ((encoder, start), several) in zip(panels, groups.items(), strict=False):
        shown = several[0]["turns"].index(middle_turn(several[0]))  # one turn for all curves
        textbook = several[0]["turns"][shown]["textbook"]
        axes.plot(
            textbook["seconds"],
            textbook["losses"],
            color=OTHER_COLOURS[1],
            label="textbook loop",
            linewidth=1.4,
        )
        axes.axhline(textbook["lowest"], color=INK, linewidth=0.6, linestyle=":")
        found = [textbook["lowest"], textbook["losses"][0]]
        for case, colour in zip(several, (OTHER_COLOURS[0], *OTHER_COLOURS[2:]), strict=False):
            turn = case["turns"][shown]
            ours = turn["ours"]
            label = f"nstlab, {case['preconditioner']}"
            axes.plot(ours["seconds"], ours["losses"], color=colour, label=label, linewidth=1.4)
            if turn["reached"] is not None:
                loss = ours["losses"][ours["evaluations"].index(turn["reached_at"])]
                axes.plot([turn["reached"]], [loss], "o", color=colour, markersize=4)
            found.append(ours["lowest"])
        axes.set(yscale="log", xlabel="seconds", ylabel="loss in float32")
        axes.set_ylim(0.8 * min(found), 1.5 * max(found))
        axes.set_xlim(left=0)
        axes.set_title(f"{encoder} from {start}", fontsize=9.5, color=INK)
        tidy(axes)
        axes.legend(fontsize=8, frameon=False)
    return figure


def _number(value: float | None, form: str) -> str:
    return "never" if value is None else format(value, form)
