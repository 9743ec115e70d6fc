"""The thread of a steered run: part after part of a descent, and what happens between two steps."""

import threading
import time
from collections.abc import Callable

from torch import Tensor

from nstlab.images import resize
from nstlab.job import Job
from nstlab.objective import TOTAL, Objective
from nstlab.optimize import minimize
from nstlab.runs import Step
from nstlab.settings import Settings
from nstlab.stock import PictureSource, Stock
from nstlab.transfer import stylize_job
from nstlab.widgets.track import Moment, State, Track

SMOOTH = 0.9  # of the pace: what counts of the steps before


class Engine:
    """State and thread of a `Session`, which has the methods to use it.

    Attributes:
        settings: those in force.
    """

    def __init__(
        self, on_moment: Callable[[Moment], object] | None = None, every: float = 0.3
    ) -> None:
        """Begin with nothing.

        Args:
            on_moment: told at each change of state, and of the picture not more often than `every`
                seconds. What it raises ends up in the message of the next moment, and it is not
                called again.
            every: seconds.
        """
        self.settings = Settings()
        self._on_moment, self._every, self._told = on_moment, every, 0.0
        self._content: PictureSource = ""
        self._styles: list[PictureSource] = []
        self._stock = Stock()
        self._job: Job | None = None
        self._gate = threading.Condition(threading.RLock())
        self._state: State = "ready"
        self._message, self._track = "", Track()
        self._paused = self._leave = self._renew = False
        self._base = 0  # steps made before the part in progress
        self._pace: float | None = None  # seconds for a step
        self._clock = 0.0
        self._thread: threading.Thread | None = None

    @property
    def moment(self) -> Moment:
        """What there is to see now."""
        with self._gate:
            track, steps = self._track, self.settings.steps
            return Moment(
                state=self._state,
                step=track.step,
                steps=steps,
                image=track.image,
                losses={k: list(v) for k, v in track.losses.items() if k != TOTAL},
                pace=self._pace,
                message=self._message,
            )

    def _go(self) -> None:
        self._paused = self._leave = self._renew = False
        self._set("running")
        self._thread = threading.Thread(target=self._work, name="nstlab-lab", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        """Part after part, until nothing is left to do."""
        ended: State = "failed"
        message = ""
        try:
            while True:
                best = self._part()
                with self._gate:
                    if self._leave or not self._renew:
                        ended = "stopped" if self._leave else "finished"
                        if ended == "finished" and best is not None:
                            self._track.image = best
                        break
        except Exception as error:  # whatever it is, the picture and the lab live on
            message = str(error) or type(error).__name__
        with self._gate:
            self._thread = None
            self._set(ended, message)

    def _part(self) -> Tensor | None:
        """Go down until all steps are made or something is asked for; the best picture seen."""
        job, image = self._prepare()
        left = job.settings.steps - self._base
        if left <= 0:
            return None
        return minimize(
            Objective(job.encoder, job.terms),
            image,
            steps=left,
            optimizer=job.settings.optimizer,
            learning_rate=job.settings.learning_rate,
            history=job.settings.history,
            on_step=self._watch,
        ).image

    def _prepare(self) -> tuple[Job, Tensor]:
        """Objective and start of the next part; what is in stock is not made again."""
        with self._gate:
            self._renew = False
            settings, image = self.settings, self._track.image
            content, styles = self._content, self._styles
        job = stylize_job(content, styles, settings, {}, self._stock)
        if image is not None:
            height, width = job.image.shape[2:]
            image = resize(image, (height, width)).to(job.image)
        with self._gate:
            self._job, self._base, self._clock = job, self._track.step, time.perf_counter()
        return job, job.image if image is None else image

    def _watch(self, step: Step) -> None:
        """Between two steps: take in the last one, and do what was asked for."""
        now = time.perf_counter()
        with self._gate:
            if self._leave or self._renew:  # what came of the step belongs to what is given up
                raise StopIteration
            track, spent = self._track, now - self._clock
            track.add(self._base + step.step, step.image, step.losses)
            track.keep(self.settings.steps)
            track.seconds += spent
            if step.step:  # the first evaluation of a part takes longer
                self._pace = SMOOTH * (self._pace or spent) + (1 - SMOOTH) * spent
            self._message = step.message or self._message
            while self._paused and not (self._leave or self._renew):
                if self._state != "paused":
                    self._set("paused")
                self._gate.wait()
            if self._leave:
                raise StopIteration
        self._tell(now)
        self._clock = time.perf_counter()

    def _set(self, state: State, message: str = "") -> None:
        self._state, self._message = state, message
        self._tell(None)

    def _tell(self, now: float | None) -> None:
        """Show the moment, if it is time to; None for at once."""
        if self._on_moment is None or (now is not None and now - self._told < self._every):
            return
        self._told = time.perf_counter()
        try:
            self._on_moment(self.moment)
        except Exception as error:
            self._on_moment = None
            self._message = f"the view failed and is no longer told: {error}"

    def _note(self, **changes: object) -> None:
        self._track.steered.append({"step": self._track.step, **changes})
