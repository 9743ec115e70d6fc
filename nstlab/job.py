"""A run that has only to be made, and several of them made as one batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.encoders import Encoder
from nstlab.objective import LayerTerm, Objective, Term
from nstlab.optimize import minimize
from nstlab.runs import Run
from nstlab.runtime import machine
from nstlab.settings import Settings


@dataclass(frozen=True, eq=False)
class Job:
    """One run in full: what goes down, from where, and how.

    Attributes:
        encoder: gives the features.
        terms: of the objective, their targets included.
        image: where to start.
        settings: with the start that was chosen.
        recipe: what it takes to make the run again.
        watched: the arguments of `minimize` that do not change the result: `on_step`,
            `frame_every` and those of checkpoints.
    """

    encoder: Encoder
    terms: tuple[Term, ...]
    image: Float[Tensor, "1 3 h w"]
    settings: Settings
    recipe: Mapping[str, Any]
    watched: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[object, ...] | None:
        """What jobs must have in common to be made together; None if this one can only be alone.

        Weights, layer weights, targets and starts may differ; encoder, shape, layers,
        normalisation and the way down may not. A watcher or a checkpoint is for one run alone, and
        scipy would take the batch for one problem.
        """
        settings, alone = self.settings, set(self.watched) - {"frame_every"}
        usual = all(isinstance(term, LayerTerm) for term in self.terms)
        if alone or not usual or settings.optimizer == "scipy":
            return None
        return (
            id(self.encoder),
            tuple(self.image.shape),
            tuple((term.name, term.layers) for term in self.terms),
            (settings.normalization, settings.optimizer, settings.learning_rate),
            (settings.steps, settings.history, settings.preconditioner),
            self.watched.get("frame_every", 0),
        )

    def run(self) -> Run:
        """Make the run.

        Returns:
            The run.
        """
        return run_together([self])[0]


def run_together(jobs: Sequence[Job]) -> list[Run]:
    """Make the runs of several jobs as one batch.

    Each picture has its own weights, targets and start, its own memory of the optimiser, and its
    own end. What a run gives is the same as alone but for the last bits.

    Args:
        jobs: one, or several of one `kind`.

    Returns:
        A run for each; its `seconds` are its share of the whole.

    Raises:
        ValueError: no job, or several that cannot be made together.
    """
    if not jobs or (
        len(jobs) > 1 and (None in (kinds := {job.kind for job in jobs}) or len(kinds) > 1)
    ):
        raise ValueError(f"{len(jobs)} jobs of different kinds cannot be made as one batch")
    first = jobs[0]
    settings, image = first.settings, torch.cat([job.image for job in jobs])
    terms = [_merge(terms, image) for terms in zip(*(job.terms for job in jobs), strict=True)]
    run = minimize(
        Objective(first.encoder, terms),
        image,
        steps=settings.steps,
        optimizer=settings.optimizer,
        learning_rate=settings.learning_rate,
        history=settings.history,
        preconditioner=settings.preconditioner,
        recipe=first.recipe,
        **first.watched,
    )
    made_on = {**machine(image.device), "precision": first.encoder.precision, "batch": len(jobs)}
    return [
        replace(each, recipe=dict(job.recipe), machine=made_on)
        for each, job in zip(run.split(), jobs, strict=True)
    ]


def _merge(terms: Sequence[Term], image: Tensor) -> Term:
    """One term for a batch, with the weights and targets of each picture."""
    first = terms[0]
    if len(terms) == 1 or not isinstance(first, LayerTerm):
        return first
    several = [term for term in terms if isinstance(term, LayerTerm)]
    return LayerTerm(
        first.name,
        {name: _targets([term.targets[name] for term in several]) for name in first.targets},
        first.cost,
        {
            name: _weights([term.layer_weights[name] for term in several], image)
            for name in first.layer_weights
        },
        _weights([term.weight for term in several], image),
    )


def _targets(several: Sequence[Tensor]) -> Tensor:
    """A target for each picture, or one for all where they agree."""
    first = several[0]
    if all(each is first or torch.equal(each, first) for each in several[1:]):
        return first
    return torch.cat(list(several))


def _weights(several: Sequence[float | Tensor], image: Tensor) -> float | Tensor:
    numbers = [float(each) for each in several]
    return (
        numbers[0]
        if len(set(numbers)) == 1
        else torch.tensor(numbers, dtype=torch.float64).to(image)
    )
