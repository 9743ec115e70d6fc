"""A steered run without a browser: every change of state, and that nothing is lost or left."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch

from nstlab import Encoder, Settings, load_encoder, stylize
from nstlab.job import Job
from nstlab.transfer import stylize_job
from nstlab.widgets.lines import draw_lines
from nstlab.widgets.session import Session
from nstlab.widgets.track import KEPT, Moment, Track

PAIR = ("china", ["swirls_1"])
SMALL = Settings(
    size=48,
    steps=40,
    content_layers=("relu2_2",),
    style_layers=("relu1_1", "relu2_1"),
    precision="float32",
    start="noise",
)


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session(every=0.0)
    yield made
    made.close()
    assert not [each for each in threading.enumerate() if each.name == "nstlab-lab"]


def until(there: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


def at_step(session: Session, step: int) -> None:
    """Wait until so many steps are made, and hold the run there or a little later."""
    until(lambda: session.moment.step >= step)
    session.pause()
    until(lambda: session.moment.state == "paused")


def begin(session: Session, settings: Settings = SMALL) -> None:
    session.start(*PAIR, settings)


def test_a_run_left_alone_is_the_run_that_stylize_makes(session: Session) -> None:
    begin(session)
    assert session.wait(60)
    alone = stylize(*PAIR, SMALL)
    moment, run = session.moment, session.run
    assert (moment.state, moment.step, moment.message) == ("finished", 40, "")
    assert run is not None
    assert run.recipe == alone.recipe
    assert "total" not in moment.losses
    for name in ("content", "style", "range"):
        assert moment.losses[name] == alone.curve(name)
    assert torch.equal(run.image, alone.image)


def test_a_pause_changes_nothing(session: Session) -> None:
    begin(session)
    at_step(session, 10)
    held = session.moment.step
    time.sleep(0.05)
    assert session.moment.step == held < 40
    session.resume()
    assert session.wait(60)
    assert session.moment.losses["style"] == stylize(*PAIR, SMALL).curve("style")


def test_more_style_weight_halfway_ends_with_less_style_loss(session: Session) -> None:
    ends = {}
    for weight in (SMALL.style_weight, 30 * SMALL.style_weight):
        begin(session)
        at_step(session, 20)
        session.change(SMALL.change(style_weight=weight))
        session.resume()
        assert session.wait(60)
        assert session.moment.step == 40
        assert len(session.moment.losses["style"]) == 41
        ends[weight] = session.moment.losses["style"][-1]
    assert ends[30 * SMALL.style_weight] < 0.8 * ends[SMALL.style_weight]


def test_a_change_of_weights_captures_no_target_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(session)
    at_step(session, 5)
    calls: list[object] = []
    forward = Encoder.forward

    def counted(self: Encoder, image: torch.Tensor, layers: Sequence[str]) -> object:
        if not image.requires_grad:
            calls.append(layers)
        return forward(self, image, layers)

    monkeypatch.setattr(Encoder, "forward", counted)
    session.change(SMALL.change(style_weight=400.0, content_weight=2.0, variation_weight=3.0))
    session.resume()
    assert session.wait(60)
    assert session.moment.state == "finished"
    assert calls == []
    assert "variation" in session.moment.losses


def test_a_knob_that_is_dragged_does_not_hold_the_run(session: Session) -> None:
    begin(session, SMALL.change(steps=5000))
    until(lambda: session.moment.step >= 5)
    wanted, weight, end = session.moment.step + 10, 40.0, time.monotonic() + 60
    while session.moment.step < wanted:
        assert time.monotonic() < end, "no step was made while the knob moved"
        weight += 0.01
        session.change(SMALL.change(steps=5000, style_weight=weight))
        time.sleep(0.002)


def test_a_change_before_the_first_evaluation_counts(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = threading.Event()

    def slow(*given: Any) -> Job:
        job = stylize_job(*given)
        there.wait(30)
        return job

    monkeypatch.setattr("nstlab.widgets.engine.stylize_job", slow)
    begin(session)
    session.change(SMALL.change(steps=12, style_weight=7.0))
    there.set()
    assert session.wait(60)
    run = session.run
    assert run is not None and run.steps == 12
    assert run.recipe["settings"]["style_weight"] == 7.0
    assert "steered" not in run.recipe


def test_many_moves_of_a_knob_leave_the_way_back(session: Session) -> None:
    begin(session)
    at_step(session, 20)
    for number in range(25):
        session.change(SMALL.change(style_weight=50.0 + number))
        time.sleep(0.01)
    step = session.moment.step
    assert session.undo()
    assert session.moment.step < step


def test_a_change_after_the_end_is_no_steering_until_the_run_goes_on(session: Session) -> None:
    begin(session)
    assert session.wait(60)
    session.change(SMALL.change(style_weight=90.0, steps=SMALL.steps + 10))
    assert session.run is not None and "steered" not in session.run.recipe
    session.resume()
    assert session.wait(60)
    assert session.run is not None
    (steered,) = session.run.recipe["steered"]
    assert steered == {"step": SMALL.steps, "style_weight": 90.0, "steps": SMALL.steps + 10}


def test_start_and_seed_do_not_disturb_a_run(session: Session) -> None:
    begin(session)
    until(lambda: session.moment.step >= 3)
    session.change(SMALL.change(seed=5, start="content"))
    assert session.wait(60)
    assert session.run is not None and "steered" not in session.run.recipe


def test_a_second_start_waits_for_the_first_thread(session: Session) -> None:
    begin(session, SMALL.change(steps=5000))
    until(lambda: session.moment.step >= 3)
    begin(session)
    begin(session)
    assert session.wait(60)
    assert session.moment.step == SMALL.steps
    assert session.moment.state == "finished"


def test_the_frames_reach_from_the_start_to_the_last_picture(session: Session) -> None:
    for steps in (30, 39, 59):
        begin(session, SMALL.change(steps=steps))
        assert session.wait(60)
        run = session.run
        assert run is not None
        assert min(run.frames) == 0 and max(run.frames) == steps
        assert torch.equal(run.frames[steps], (run.image.clamp(0, 1) * 255).round().byte())


def test_python_ends_in_order_while_a_run_goes_on() -> None:
    program = (
        "from nstlab import Settings\n"
        "from nstlab.widgets.session import Session\n"
        "session = Session()\n"
        "session.start('china', ['swirls_1'], Settings(size=48, steps=100000))\n"
        "while session.moment.step < 2: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_what_was_steered_stands_in_the_record(session: Session) -> None:
    begin(session)
    at_step(session, 10)
    step = session.moment.step
    session.change(SMALL.change(style_weight=80.0))
    assert session.moment.message == f"style weight 80 from step {step} on"
    session.resume()
    assert session.wait(60)
    run = session.run
    assert run is not None
    assert run.recipe["steered"] == [{"step": step, "style_weight": 80.0}]
    assert run.recipe["settings"]["style_weight"] == 80.0


@pytest.mark.parametrize(
    "change", [{"size": 64}, {"style_layers": ("relu1_2",)}, {"content_layers": ("relu1_2",)}]
)
def test_another_size_or_layer_takes_up_where_the_picture_is(
    session: Session, change: dict[str, object]
) -> None:
    begin(session)
    at_step(session, 20)
    before, step = session.moment.image, session.moment.step
    assert before is not None
    session.change(SMALL.change(**change))
    session.resume()
    until(lambda: session.moment.step > step)
    session.pause()
    after = session.moment.image
    assert after is not None
    assert max(after.shape) == change.get("size", 48)
    like = torch.nn.functional.interpolate(before, after.shape[2:], mode="bilinear", antialias=True)
    noise = torch.rand_like(after)
    assert (after - like).abs().mean() < 0.5 * (after - noise).abs().mean()


def test_undo_goes_back_and_on_from_there(session: Session) -> None:
    begin(session)
    at_step(session, 20)
    step = session.moment.step
    style = session.moment.losses["style"]
    assert session.undo()
    back = session.moment
    assert back.step < step and back.step % (40 // KEPT) == 0
    assert back.losses["style"] == style[: back.step + 1]
    assert back.message == f"back at step {back.step}"
    assert session.undo() and session.moment.step < back.step
    session.resume()
    assert session.wait(60)
    moment = session.moment
    assert (moment.state, moment.step, len(moment.losses["style"])) == ("finished", 40, 41)
    assert moment.losses["style"][-1] < style[-1]


def test_undo_after_the_end_waits_for_continue(session: Session) -> None:
    begin(session)
    assert session.wait(60)
    assert session.undo()
    assert (session.moment.state, session.moment.step) == ("paused", 38)
    session.resume()
    assert session.wait(60)
    assert (session.moment.state, session.moment.step) == ("finished", 40)


def test_undo_with_nothing_kept_says_so(session: Session) -> None:
    assert not session.undo()
    assert "no earlier picture" in session.moment.message
    begin(session)
    session.wait(60)
    while session.undo():
        pass
    assert session.moment.step == 0
    assert "no earlier picture" in session.moment.message


def test_stop_keeps_the_picture_and_continue_makes_the_rest(session: Session) -> None:
    begin(session)
    until(lambda: session.moment.step >= 10)
    session.stop()
    assert session.wait(60)
    moment = session.moment
    assert moment.state == "stopped" and 10 <= moment.step < 40 and moment.image is not None
    session.resume()
    assert session.wait(60)
    assert (session.moment.state, session.moment.step) == ("finished", 40)


def test_more_steps_after_the_end(session: Session) -> None:
    begin(session)
    assert session.wait(60)
    session.resume()
    assert "raise their number" in session.moment.message
    session.change(SMALL.change(steps=50))
    session.resume()
    assert session.wait(60)
    assert session.moment.step == 50


def test_reset_and_start_anew(session: Session) -> None:
    begin(session)
    until(lambda: session.moment.step >= 3)
    session.reset()
    moment = session.moment
    assert (moment.state, moment.step, moment.image, moment.losses) == ("ready", 0, None, {})
    session.resume()
    assert "start a run first" in session.moment.message
    begin(session)
    until(lambda: session.moment.step >= 3)
    begin(session, SMALL.change(seed=1))
    assert session.wait(60)
    assert session.moment.losses["style"] == stylize(*PAIR, SMALL.change(seed=1)).curve("style")


def test_what_goes_wrong_is_said_and_can_be_mended(session: Session) -> None:
    session.start("china", ["no_such_picture.png"], SMALL)
    assert session.wait(60)
    assert session.moment.state == "failed"
    assert "no_such_picture" in session.moment.message
    begin(session)
    at_step(session, 5)
    session.change(SMALL.change(style_layers=("relu9_9",)))
    assert session.wait(60)
    moment = session.moment
    assert moment.state == "failed" and "relu9_9" in moment.message
    assert moment.image is not None and moment.step >= 5
    session.change(SMALL)
    session.resume()
    assert session.wait(60)
    assert session.moment.state == "finished"


def test_an_exception_in_the_loop_keeps_the_picture(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(session)
    at_step(session, 5)

    def broken(*_args: object) -> None:
        raise MemoryError("no memory for this")

    monkeypatch.setattr("nstlab.objective.Objective.value_and_grad", broken)
    session.resume()
    assert session.wait(60)
    assert session.moment.state == "failed"
    assert session.moment.message == "no memory for this"
    assert session.moment.image is not None


def test_the_view_is_told_and_cannot_hurt_the_run() -> None:
    told: list[Moment] = []

    def view(moment: Moment) -> None:
        told.append(moment)
        if moment.step == 10:
            raise RuntimeError("drawing failed")

    watched = Session(view, every=0.0)
    watched.start(*PAIR, SMALL)
    assert watched.wait(60)
    assert watched.moment.state == "finished"
    assert [each.state for each in told[:2]] == ["running", "running"]
    assert told[-1].step == 10, "it was told after it had failed"


def test_moments_come_no_oftener_than_asked() -> None:
    told: list[Moment] = []
    watched = Session(told.append, every=60.0)
    watched.start(*PAIR, SMALL)
    assert watched.wait(60)
    assert len(told) <= 3
    assert told[-1].state == "finished"


def test_two_sessions_side_by_side(session: Session) -> None:
    other = Session()
    begin(session)
    other.start(*PAIR, SMALL.change(seed=3))
    assert session.wait(60) and other.wait(60)
    assert session.moment.losses["style"] == stylize(*PAIR, SMALL).curve("style")
    assert other.moment.losses["style"] != session.moment.losses["style"]


def test_a_track_knows_terms_that_come_and_go() -> None:
    track, image = Track(), torch.zeros(1, 3, 4, 4)
    track.add(0, image, {"style": (4.0,), "total": (9.0,)})
    track.add(1, image, {"style": (3.0,), "variation": (1.0,)})
    track.add(1, image + 1, {"style": (8.0,)})
    track.add(2, image, {"variation": (0.5,)})
    assert track.losses["style"][:2] == [4.0, 3.0]
    assert track.losses["style"][2] != track.losses["style"][2]
    assert track.losses["variation"][1:] == [1.0, 0.5]


def test_lines_show_every_curve_in_its_colour() -> None:
    drawn = draw_lines({"content": [1.0, 0.5, 0.1], "style": [0.0, 2.0]}, 10)
    assert drawn.count("<polyline") == 2
    assert "#2471a3" in drawn and "#d35400" in drawn
    assert draw_lines({}, 10).startswith("<svg")
    assert "nan" not in draw_lines({"a": [float("nan"), 1.0]}, 0)
    many = draw_lines({"a": [1 + k for k in range(5000)]}, 5000)
    assert len(many) < 12000
    assert "<b>" not in draw_lines({"<b>": [1.0]}, 1)


def test_encoders_are_loaded_once_for_a_session(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[object] = []

    def load(*args: object, **options: object) -> Encoder:
        loaded.append(args)
        return load_encoder("lite")

    monkeypatch.setattr("nstlab.stock.load_encoder", load)
    begin(session)
    assert session.wait(60)
    begin(session, SMALL.change(size=64))
    assert session.wait(60)
    assert len(loaded) == 1
