"""A run that can be steered while it goes on: what one does with it, without any widget."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from nstlab.runs import Run
from nstlab.settings import Settings
from nstlab.stock import PictureSource
from nstlab.widgets.engine import Engine
from nstlab.widgets.track import Track
from nstlab.words import in_short

AT_START = ("start", "seed")  # settings that act when a run begins


class Session(Engine):
    """One transfer that is started, paused, steered and undone from outside.

    The loop runs in a thread of its own. A change ends the part in progress at the next step; the
    next part goes on from the picture as it is, with an empty memory of the optimiser. Encoder,
    pictures and targets that the change leaves as they were are not made again.

    A change of the number of steps or of the optimiser empties that memory too.

    All methods return at once, except `wait`; `on_moment` is called in the thread of the loop.
    """

    def start(
        self, content: PictureSource, styles: Sequence[PictureSource], settings: Settings
    ) -> None:
        """Begin a new run; one in progress is given up.

        Args:
            content: the content picture.
            styles: one or several.
            settings: of the run.
        """
        with self._gate:
            self._content, self._styles, self.settings = content, list(styles), settings
            self._track, self._pace, self._later = Track(), None, {}
            self._go()

    def pause(self) -> None:
        """Hold the run after the step in progress; nothing is lost."""
        with self._gate:
            if self._state == "running":
                self._paused = True

    def resume(self) -> None:
        """Go on: after a pause as if there had been none, after an end with the steps left."""
        with self._gate:
            if self._busy:
                self._paused = False
                self._set("running", self._message)
                self._gate.notify_all()
            elif self._track.image is None and self._state != "failed":
                self._set(self._state, "there is nothing to go on with; start a run first")
            elif self._track.step >= self.settings.steps:
                self._set(self._state, "all steps are made; raise their number to go on")
            else:
                if self._later:
                    self._note(**self._later)
                    self._later = {}
                self._go()

    def stop(self) -> None:
        """End the run after the step in progress; the picture is kept."""
        with self._gate:
            if self._busy:
                self._leave = True
                self._gate.notify_all()
            elif self._state == "paused":
                self._set("stopped")

    def undo(self) -> bool:
        """Go back to the picture kept last, and on from there; a run that has ended waits there.

        Returns:
            Whether there was one.
        """
        with self._gate:
            if not self._track.back():
                self._set(self._state, "there is no earlier picture to go back to")
                return False
            self._note(undo=True)
            said = f"back at step {self._track.step}"
            if not self._busy:
                self._set("paused", said)
            else:
                self._renew = self._undone = True
                self._set(self._state, said)
                self._gate.notify_all()
            return True

    def reset(self) -> None:
        """Give up the run and its picture."""
        with self._gate:
            self._give_up()
            self._track, self._pace, self._later = Track(), None, {}
            self._set("ready")

    def change(
        self,
        settings: Settings,
        content: PictureSource | None = None,
        styles: Sequence[PictureSource] | None = None,
    ) -> None:
        """Act on the run in progress from the next step on; start and seed act at the next start.

        A run that has ended is not touched; the change counts if it goes on.

        Args:
            settings: those that hold from now on.
            content: another content picture, or None for the same.
            styles: other style pictures, or None for the same.
        """
        with self._gate:
            before, self.settings = self.settings.as_data(), settings
            now = settings.as_data().items()
            changed = {k: v for k, v in now if before[k] != v and k not in AT_START}
            if content is not None and content is not self._content:
                self._content, changed["content"] = content, _name(content)
            if styles is not None and any(a is not b for a, b in zip_longest(styles, self._styles)):
                self._styles, changed["styles"] = list(styles), [_name(each) for each in styles]
            if not changed or not self._busy:
                self._later |= changed
                return
            self._renew = True
            if self._track.image is not None:  # else it is not steered, it begins like that
                self._note(**changed)
                self._message = f"{_in_words(changed)} from step {self._track.step} on"
                if self._state == "paused":
                    self._tell(None)
            self._gate.notify_all()

    @property
    def run(self) -> Run | None:
        """The record of what was made, to be saved; None before the first evaluation."""
        with self._gate:
            recipe = {} if self._job is None else self._job.recipe
            return self._track.record(recipe, self._state == "finished")


def _in_words(changed: Mapping[str, object]) -> str:
    """Settings that were changed, as a reader would say it."""
    said = []
    for name, value in changed.items():
        if isinstance(value, list | tuple):
            value = " + ".join(map(str, value))
        words = in_short(value) if isinstance(value, float) else str(value)
        said += [f"{name.replace('_', ' ')} {words}"] if value is not None else []
    return ", ".join(said) or "changed"


def _name(picture: PictureSource) -> str:
    return picture if isinstance(picture, str) else "a picture"
