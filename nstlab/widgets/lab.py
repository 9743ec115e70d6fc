"""The lab: steer a running style transfer with sliders."""

import html
import time
from pathlib import Path
from typing import Any

from nstlab.animate import save_animation
from nstlab.images import encode
from nstlab.plots import show_pictures
from nstlab.samples import load_picture
from nstlab.settings import Settings
from nstlab.widgets.ending import ends_with_cell
from nstlab.widgets.forecast import Forecast
from nstlab.widgets.form import Form
from nstlab.widgets.gallery import Gallery, on_this_machine
from nstlab.widgets.lines import draw_lines
from nstlab.widgets.presets import as_code
from nstlab.widgets.preview import Preview
from nstlab.widgets.results import Result, Results
from nstlab.widgets.session import Session
from nstlab.widgets.still import Page, bundle
from nstlab.widgets.track import Moment
from nstlab.widgets.view import BUTTONS, View, blank
from nstlab.words import duration, in_short

PICTURES_EVERY, CURVES_EVERY = 0.33, 1.0  # seconds
BUSY = ("running", "paused")
WORDS = {
    "ready": "choose two pictures and press Start",
    "running": "running",
    "paused": "paused",
    "finished": "finished",
    "stopped": "stopped",
    "failed": "this did not work",
}


class Lab:
    """Pictures, knobs, and a run that answers to them; shows itself at the end of a cell.

    Attributes:
        widget: the tree of ipywidgets.
        session: the run.
        form: the knobs.
        content, styles: the pictures to choose from.
        preview: the sheet of small runs.
        results: what was made so far.
        forecast: time and memory of a choice.
        view: picture, curves, lines of words and buttons.
        buttons: by what they say at first.
    """

    def __init__(self, content: str, styles: list[str], settings: Settings, folder: Path) -> None:
        """See `lab`."""
        self._folder, self.forecast = folder, Forecast()
        self.session = Session(self._show, every=PICTURES_EVERY)
        photographs, paintings = on_this_machine("photograph"), on_this_machine("style")
        self.content = Gallery("content", photographs, [content], self._pictures_changed)
        self.styles = Gallery(
            "style: one, or several mixed", paintings, styles, self._pictures_changed, several=True
        )
        if settings.style_blend is not None:
            self.styles.mix(dict(zip(styles, settings.style_blend, strict=True)))
        self.form = Form(settings, self._settings_changed)
        self.preview = Preview(self._given, self._take, self.session.close)
        self.results = Results(self._take_result)
        self.view = View({name: getattr(self, f"_press_{name.lower()}") for name in BUTTONS})
        self.buttons = self.view.buttons
        self.widget = self.view.arrange(
            pictures=[self.content.widget, self.styles.widget],
            weights=[self.form.looks],
            layers=[self.form.layers],
            run=[self.form.machine, self.view.code],
            below=[self.preview.widget, self.results.widget],
        )
        self.widget.add_class("nstlab-lab")
        self._curves_at, self._state = 0.0, ""
        self._show(self.session.moment)
        self._forecast()

    # What the buttons do --------------------------------------------------------------------

    def start(self) -> None:
        """Begin a run with the pictures and settings chosen."""
        content, styles, settings = self._given()
        self.preview.leave()
        if self.session.moment.state in BUSY:
            self._keep_result()
        self.session.start(content, styles, settings)

    def pause(self) -> None:
        """Hold the run, or go on with it."""
        if self.session.moment.state == "running":
            self.session.pause()
        else:
            self.session.resume()

    def save(self) -> str:
        """Write picture, animation and code of the present state; says where.

        Returns:
            A line for the reader.
        """
        run = self.session.run
        if run is None:
            return "there is no picture to save yet"
        number = 1
        while (target := self._folder / f"lab_{number:02d}.png").exists():
            number += 1
        run.save(target)
        written = [target.name]
        if len(run.frames) > 1:
            written.append(save_animation(run, target.with_suffix(".gif"), curve=False).name)
        return f"written: {', '.join(written)}"

    # What is shown --------------------------------------------------------------------------

    def _given(self) -> tuple[Any, list[Any], Settings]:
        (content,) = self.content.chosen
        return content, self.styles.chosen, self._settings()

    def _settings(self) -> Settings:
        return self.form.settings.change(style_blend=self.styles.blend)

    def _settings_changed(self, _settings: Settings) -> None:
        self.session.change(self._settings())
        self._forecast()

    def _take_result(self, result: Result) -> None:
        self._take(Settings.from_data(result.run.recipe["settings"]))

    def _forecast(self) -> None:
        """Time and memory for the choice, and the same choice as code."""
        content, styles, settings = self._given()
        self.view.code.value = as_code(content, styles, settings)
        self.view.code.rows = self.view.code.value.count("\n") + 2
        self.view.expected.value = html.escape(self.forecast.words(content, styles, settings))

    def _show(self, moment: Moment) -> None:
        """Take in a moment; called in the thread of the run."""
        try:
            self._draw(moment)
        except Exception as error:
            self.view.said.value = html.escape(f"the lab cannot show this: {error}")
            raise

    def _draw(self, moment: Moment) -> None:
        now = time.monotonic()
        changed = moment.state != self._state
        if moment.image is not None:
            self.view.picture.value = encode(moment.image[:1], "jpeg", quality=88)
        elif changed:
            self.view.picture.value = encode(blank(), "jpeg")
        if changed or now - self._curves_at >= CURVES_EVERY:
            self._curves_at = now
            drawn = draw_lines(moment.losses, moment.steps) if moment.losses else ""
            self.view.curves.value = drawn
            self.forecast.learn(moment)
        left = moment.seconds_left
        counted = f"step {moment.step} of {moment.steps}" if moment.step else ""
        time_left = duration(left) + " left" if left and moment.state == "running" else ""
        said = [WORDS[moment.state], counted, time_left, moment.message]
        self.view.line.value = html.escape(" · ".join(filter(None, said)))
        self.buttons["Undo"].disabled = self.buttons["Save"].disabled = moment.image is None
        if changed:
            self._enter(moment)

    def _enter(self, moment: Moment) -> None:
        """What changes with the state: the buttons, and a result at an end."""
        self._state = moment.state
        busy, goes = moment.state in BUSY, moment.state in ("ready", "running")
        self.buttons["Pause"].disabled = moment.state == "ready"
        self.buttons["Pause"].description = "Pause" if goes else "Continue"
        self.buttons["Pause"].icon = "pause" if goes else "play"
        self.buttons["Stop"].disabled = not busy
        self.buttons["Reset"].disabled = moment.state == "ready"
        if moment.state in ("finished", "stopped"):
            self._keep_result()
        if not busy:
            self.view.expected.value = html.escape(self.forecast.again())

    def _keep_result(self) -> None:
        run = self.session.run
        if run is not None and self.session.moment.step:
            beta = self.session.settings.style_weight
            self.results.add(f"β {in_short(beta)}", run)

    def _pictures_changed(self) -> None:
        content, styles, settings = self._given()
        if self.session.moment.state != "ready":
            self.session.change(settings, content, styles)
        self._forecast()

    def _take(self, settings: Settings) -> None:
        """Let the lab stand at some settings, at its own size and steps."""
        now = self.form.settings
        self.form.show(settings.change(size=now.size, steps=now.steps, style_blend=None))

    def _press_start(self) -> None:
        self.start()

    def _press_pause(self) -> None:
        self.pause()

    def _press_undo(self) -> None:
        self.session.undo()

    def _press_stop(self) -> None:
        self.session.stop()

    def _press_reset(self) -> None:
        self.session.reset()

    def _press_save(self) -> None:
        try:
            said = self.save()
        except (OSError, ValueError) as error:
            said = str(error)
        self.view.said.value = html.escape(said)

    def close(self) -> None:
        """End what goes on in the background; the widgets stay as they are."""
        self.preview.close()
        self.session.close()

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:  # noqa: ANN401
        image = self.session.moment.image
        if image is None:
            content, styles, _ = self._given()
            chosen = [load_picture(each, 256) for each in (content, *styles)]
            image = show_pictures(chosen, [*self.content.labels, *self.styles.labels])
        return bundle(self.widget, Page(image).with_words("the lab: run the notebook to use it"))


def lab(
    content: str = "china",
    styles: str | list[str] = "swirls_1",
    settings: Settings | None = None,
    folder: str | Path = ".",
) -> Lab:
    """Steer a running style transfer with sliders.

    The run has a thread of its own, so the kernel stays free: interrupting the kernel does not end
    it, Stop does. It ends with the kernel too, and when its cell is run again.

    Args:
        content: name of the content picture chosen first.
        styles: name of the style picture, or names of several.
        settings: what the knobs stand at; None for the defaults at 256 pixels.
        folder: where Save writes.

    Returns:
        A lab, which shows itself when it ends a cell. A lab that the same cell made before is
        closed.

    Raises:
        ValueError: a picture that is not among those on this machine.
    """
    names = [styles] if isinstance(styles, str) else list(styles)
    known = on_this_machine("photograph", "style")
    for name in (content, *names):
        if name not in known:
            raise ValueError(f"no picture {name!r} on this machine; there is: {', '.join(known)}")
    made = Lab(content, names, settings or Settings(size=256), Path(folder))
    ends_with_cell(made)
    return made
