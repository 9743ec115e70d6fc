"""The thread of a steered run: part after part of a descent, and what happens between two steps."""

import threading
import time
from collections.abc import Callable
from functools import partial

from torch import Tensor

from nstlab.idle import free_idle_threads
from nstlab.images import resize
from nstlab.job import Job
from nstlab.objective import TOTAL, Objective
from nstlab.optimize import minimize
from nstlab.runs import Step
from nstlab.settings import Settings
from nstlab.stock import PictureSource, Stock
from nstlab.transfer import stylize_job
from nstlab.widgets.ending import ends_with_process
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
                seconds. What it raises stands in the message of `moment`, and it is not called
                again before the next start.
            every: seconds.
        """
        self.settings = Settings()
        self._on_moment, self._every, self._told = on_moment, every, 0.0
        self._fault = ""  # of the view
        self._content: PictureSource = ""
        self._styles: list[PictureSource] = []
        self._stock = Stock()
        self._job: Job | None = None
        self._gate = threading.Condition(threading.RLock())
        self._state: State = "ready"
        self._message, self._track = "", Track()
        self._turn = 0  # a thread whose number this is not any more has nothing to say
        self._busy = False  # whether the thread of this turn is at work
        self._paused = self._leave = self._renew = self._undone = False
        self._later: dict[str, object] = {}  # changed after the end, in force if it goes on
        self._base = 0  # steps made before the part in progress
        self._pace: float | None = None  # seconds for a step
        self._clock = 0.0
        self._thread: threading.Thread | None = None
        ends_with_process(self)

    @property
    def moment(self) -> Moment:
        """What there is to see now."""
        with self._gate:
            track = self._track
            return Moment(
                state=self._state,
                step=track.step,
                steps=self.settings.steps,
                image=track.image,
                losses={k: list(v) for k, v in track.losses.items() if k != TOTAL},
                pace=self._pace,
                message=" · ".join(filter(None, (self._message, self._fault))),
            )

    def close(self, seconds: float = 30.0) -> None:
        """End the thread, if there is one, and wait for it.

        Args:
            seconds: to wait at most.
        """
        with self._gate:
            self._leave = True
            self._gate.notify_all()
        self.wait(seconds)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the loop has ended.

        Args:
            seconds: at most; None for as long as it takes.

        Returns:
            Whether it has ended.
        """
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)
            return not thread.is_alive()
        return True

    def _go(self) -> None:
        """Let a new thread begin; one that is still at work ends first, and says no more."""
        self._give_up()
        self._busy, self._fault = True, ""
        self._set("running")
        self._thread = threading.Thread(
            target=self._work, args=(self._turn, self._thread), name="nstlab-lab", daemon=True
        )
        free_idle_threads()
        self._thread.start()

    def _give_up(self) -> None:
        self._turn += 1
        self._paused = self._leave = self._renew = self._undone = self._busy = False
        self._gate.notify_all()

    def _work(self, turn: int, before: threading.Thread | None) -> None:
        """Part after part, until nothing is left to do."""
        if before is not None:
            before.join()
        try:
            while self._part(turn):
                pass
        except BaseException as error:  # whatever it is, the picture and the lab live on
            with self._gate:
                if turn == self._turn:
                    self._busy = False
                    self._set("failed", str(error) or type(error).__name__)

    def _part(self, turn: int) -> bool:
        """Go down until all steps are made or something is asked for.

        Returns:
            Whether another part is to follow.
        """
        job, image = self._prepare()
        best, left = None, job.settings.steps - self._base
        if left > 0:
            best = minimize(
                Objective(job.encoder, job.terms),
                image,
                steps=left,
                optimizer=job.settings.optimizer,
                learning_rate=job.settings.learning_rate,
                history=job.settings.history,
                preconditioner=job.settings.preconditioner,
                on_step=partial(self._watch, turn),
            ).image
        with self._gate:
            if turn != self._turn:
                return False
            if self._renew and not self._leave:
                return True
            if best is not None and not self._leave:
                self._track.image = best
            self._busy = False
            self._set("stopped" if self._leave else "finished")
            return False

    def _prepare(self) -> tuple[Job, Tensor]:
        """Objective and start of the next part; what is in stock is not made again."""
        with self._gate:
            self._renew = self._undone = False
            settings, image, before = self.settings, self._track.image, self._job
            content, styles = self._content, self._styles
        job = stylize_job(content, styles, settings, {}, self._stock)
        if image is not None:
            height, width = job.image.shape[2:]
            image = resize(image, (height, width)).to(job.image)
        with self._gate:
            now = (job.encoder, job.image.shape)
            if before is None or (before.encoder, before.image.shape) != now:
                self._pace = None
            self._job, self._base, self._clock = job, self._track.step, time.perf_counter()
        return job, job.image if image is None else image

    def _watch(self, turn: int, step: Step) -> None:
        """Between two steps: take in the last one, and do what was asked for."""
        now = time.perf_counter()
        with self._gate:
            if turn != self._turn or self._leave or self._undone:
                raise StopIteration  # what came of the step belongs to what is given up
            track, spent = self._track, now - self._clock
            track.add(self._base + step.step, step.image, step.losses)
            track.keep(self.settings.steps)
            track.seconds += spent
            if step.step:  # the first evaluation of a part takes longer
                self._pace = SMOOTH * (self._pace or spent) + (1 - SMOOTH) * spent
            self._message = step.message or self._message
            self._tell(now)
            while self._paused and turn == self._turn and not (self._leave or self._renew):
                if self._state != "paused":
                    self._set("paused", self._message)
                self._gate.wait()
            # A part makes a step at least, else a knob that is being dragged would hold the run.
            renew = self._renew and (step.step > 0 or self._paused or self._undone)
            if turn != self._turn or self._leave or renew:
                raise StopIteration
            self._clock = time.perf_counter()

    def _set(self, state: State, message: str = "") -> None:
        self._state, self._message = state, message
        self._tell(None)

    def _tell(self, now: float | None) -> None:
        """Show the moment, if it is time to; None for at once."""
        due = now is None or now - self._told >= self._every
        if self._on_moment is None or self._fault or not due:
            return
        self._told = time.perf_counter()
        try:
            self._on_moment(self.moment)
        except Exception as error:
            self._fault = f"the view failed and is not told until the next start: {error}"

    def _note(self, **changes: object) -> None:
        self._track.steered.append({"step": self._track.step, **changes})
