"""The lab without a browser: its handlers are called as the widgets call them."""

import base64
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import nstlab
from nstlab import Settings, load_run
from nstlab.images import encode
from nstlab.rerun import rerun
from nstlab.widgets import Lab, lab
from nstlab.widgets.form import LAYERS, OWN, on_log_slider
from nstlab.widgets.gallery import Gallery
from nstlab.widgets.presets import PRESETS, as_code, preset
from nstlab.widgets.preview import AXES, sheet_settings
from nstlab.widgets.results import before_and_after

SMALL = Settings(
    size=48, steps=30, content_layers=("relu2_2",), style_layers=("relu1_1", "relu2_1"), seed=2
)


def until(there: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Lab]:
    made = lab("china", "swirls_1", SMALL, tmp_path)
    yield made
    made.close()
    assert not [each for each in threading.enumerate() if each.name == "nstlab-lab"]


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def record(bench: Lab) -> dict[str, Any]:
    run = bench.session.run
    assert run is not None
    return run.recipe


def press(bench: Lab, name: str) -> None:
    getattr(bench, f"_press_{name}")()


def test_it_is_reached_from_the_package_and_costs_nothing_before() -> None:
    assert nstlab.lab is lab
    with pytest.raises(AttributeError, match="lub"):
        _ = nstlab.lub


def test_start_paints_and_keeps_a_result(bench: Lab) -> None:
    blank = bench.view.picture.value
    press(bench, "start")
    assert bench.session.wait(60)
    assert bench.view.picture.value != blank
    assert opened(bench.view.picture.value).size == (48, 32)
    assert "finished" in bench.view.line.value and "step 30 of 30" in bench.view.line.value
    assert "<polyline" in bench.view.curves.value
    assert len(bench.results.results) == 1


def test_buttons_follow_the_state(bench: Lab) -> None:
    off = {name for name, button in bench.buttons.items() if button.disabled}
    assert off == {"Pause", "Undo", "Stop", "Reset", "Save"}
    press(bench, "start")
    until(lambda: bench.session.moment.step > 2)
    press(bench, "pause")
    until(lambda: bench.session.moment.state == "paused")
    assert bench.buttons["Pause"].description == "Continue"
    assert not bench.buttons["Undo"].disabled
    press(bench, "pause")
    assert bench.session.wait(60)
    assert bench.buttons["Stop"].disabled


def test_undo_and_save_can_be_pressed_while_the_run_goes_on(bench: Lab) -> None:
    bench.form.show(SMALL.change(steps=2000))
    press(bench, "start")
    until(lambda: not bench.buttons["Save"].disabled)
    assert bench.session.moment.state == "running"
    until(lambda: bench.session.moment.step > 150)
    press(bench, "undo")
    until(lambda: "back at step" in bench.view.line.value)
    press(bench, "save")
    assert "written: lab_01.png" in bench.view.said.value
    assert bench.session.moment.state == "running"
    press(bench, "stop")


def test_reset_takes_the_picture_away_and_keeps_no_result(bench: Lab) -> None:
    blank = bench.view.picture.value
    bench.form.show(SMALL.change(steps=2000))
    press(bench, "start")
    until(lambda: bench.session.moment.step > 3)
    press(bench, "reset")
    assert bench.view.picture.value == blank
    assert not bench.results.results
    off = {name for name, button in bench.buttons.items() if button.disabled}
    assert off == set(bench.buttons) - {"Start"}


def test_a_second_start_keeps_what_the_first_one_made(bench: Lab) -> None:
    bench.form.show(SMALL.change(steps=2000))
    press(bench, "start")
    until(lambda: bench.session.moment.step > 20)
    bench.form.show(SMALL.change(seed=3))
    press(bench, "start")
    assert bench.session.wait(60)
    first, second = bench.results.results
    assert first.run.steps >= 20 and second.run.steps == SMALL.steps
    assert (first.label[:2], second.label[:2]) == ("1:", "2:")


def test_labels_of_results_are_their_own_when_the_oldest_go(bench: Lab) -> None:
    press(bench, "start")
    assert bench.session.wait(60)
    (first,) = bench.results.results
    for _ in range(14):
        bench.results.add("again", first.run)
    labels = [each.label for each in bench.results.results]
    assert len(labels) == len(set(labels)) == 12


def test_what_cannot_be_saved_is_said(bench: Lab, tmp_path: Path) -> None:
    press(bench, "start")
    assert bench.session.wait(60)
    bench._folder = tmp_path / "gone"
    press(bench, "save")
    assert "gone" in bench.view.said.value


def test_a_failing_view_says_so_and_shows_the_next_run(
    bench: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(bench, "_draw", lambda _moment: 1 / 0)
        press(bench, "start")
        assert bench.session.wait(60)
    assert "division by zero" in bench.view.said.value
    assert "the view failed" in bench.session.moment.message
    press(bench, "start")
    assert bench.session.wait(60)
    assert "step 30 of 30" in bench.view.line.value


def test_the_last_layer_cannot_be_unticked(bench: Lab) -> None:
    boxes = bench.form._content
    boxes["relu2_2"].value = False
    assert boxes["relu2_2"].value
    assert bench.form.settings.content_layers == ("relu2_2",)
    bench.form.show(SMALL.change(content_layers=("relu3_4",)))
    assert boxes["relu3_4"].value


def test_a_slider_is_widened_where_a_value_lies_beyond_it(bench: Lab) -> None:
    bench.form.show(SMALL.change(style_weight=1e6, content_weight=1e-4))
    assert bench.form.controls["style_weight"].value == pytest.approx(1e6)
    assert bench.form.controls["content_weight"].value == pytest.approx(1e-4)


def test_shares_that_are_given_stand_on_the_sliders(tmp_path: Path) -> None:
    settings = SMALL.change(style_blend=(1.0, 3.0))
    made = lab("china", ["woodblock_1", "swirls_1"], settings, tmp_path)
    found = dict(zip(made.styles.labels, made.styles.blend or (), strict=True))
    assert found == {"woodblock_1": 1.0, "swirls_1": 3.0}
    made.close()


def test_weights_that_must_be_fetched_are_not_fetched_for_a_forecast(
    bench: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nstlab.widgets.forecast.weights_at_hand", lambda _name: False)
    bench.form.controls["encoder"].value = "vgg16"
    assert "fetched at the first start" in bench.view.expected.value


def test_a_weight_that_moves_costs_no_new_forecast(
    bench: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = bench.view.expected.value
    monkeypatch.setattr("nstlab.widgets.forecast.estimate", lambda *_a, **_k: 1 / 0)
    bench.form.controls["style_weight"].value = 77.0
    assert bench.view.expected.value == said


def test_a_cell_that_runs_again_closes_what_it_made_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = [1]
    monkeypatch.setattr("nstlab.widgets.ending._running_cell", lambda: ("cell", count[0]))
    made = [lab("china", "swirls_1", SMALL.change(steps=5000), tmp_path) for _ in range(2)]
    for each in made:
        each.start()
    count[0] = 2
    other = lab("china", "swirls_1", SMALL, tmp_path)
    assert [each.session.moment.state for each in made] == ["stopped", "stopped"]
    other.close()


def test_the_time_expected_learns_from_a_run(bench: Lab) -> None:
    bench.form.show(SMALL.change(steps=1000))
    bench.forecast.slower = 1000.0  # as on a machine that was busy when it was looked at
    before = bench.forecast.again()
    press(bench, "start")
    until(lambda: bench.forecast.slower < 100)
    press(bench, "stop")
    assert bench.session.wait(60)
    assert bench.view.expected.value not in ("", before)


def test_a_preset_that_is_moved_away_from_is_named_no_more(bench: Lab) -> None:
    bench.form.presets.value = "strong"
    assert bench.form.settings.style_weight == 200.0
    bench.form.presets.value = OWN  # chosen by hand it changes nothing
    assert bench.form.settings.style_weight == 200.0
    bench.form.presets.value = "gentle"
    bench.form.controls["steps"].value = 40  # not a matter of looks
    assert bench.form.presets.value == "gentle"
    bench.form.controls["style_weight"].value = 100.0
    assert bench.form.presets.value == OWN


def test_a_moved_slider_acts_on_the_run(bench: Lab) -> None:
    press(bench, "start")
    until(lambda: bench.session.moment.step > 5)
    press(bench, "pause")
    until(lambda: bench.session.moment.state == "paused")
    bench.form.controls["style_weight"].value = 1000.0
    press(bench, "pause")
    assert bench.session.wait(60)
    assert bench.session.settings.style_weight == 1000.0
    assert record(bench)["steered"][0]["style_weight"] == 1000.0


def test_controls_and_settings_agree_both_ways(bench: Lab) -> None:
    wanted = SMALL.change(
        style_weight=100.0,
        variation_weight=2.5,
        content_layers=("relu3_1", "relu4_2"),
        style_layers=("relu1_1", "relu3_1"),
        style_layer_weights=(0.5, 2.0),
        size=200,
        steps=2000,
        start="noise",
        pooling="average",
    )
    bench.form.show(wanted)
    assert bench.form.settings == wanted
    assert bench.form.controls["size"].value == 200
    assert bench.form.controls["steps"].value == 2000
    assert bench.form._shares["relu3_1"].value == 2.0
    assert bench.form._shares["relu2_1"].disabled
    bench.form._style["relu2_1"].value = True
    assert bench.form.settings.style_layers == ("relu1_1", "relu2_1", "relu3_1")
    assert bench.form.settings.style_layer_weights == (0.5, 1.0, 2.0)


def test_the_last_tick_stays_in_force(bench: Lab) -> None:
    for name in LAYERS:
        bench.form._content[name].value = False
    assert bench.form.settings.content_layers == ("relu2_2",)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_settings_that_can_be_run(bench: Lab, name: str) -> None:
    bench.form.presets.value = name
    found = bench.form.settings
    assert found == preset(name, SMALL)
    assert (found.size, found.steps, found.seed) == (48, 30, 2)
    for key, value in PRESETS[name].items():
        assert getattr(found, key) == value


def test_a_preset_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no preset 'loud'; there is: balanced"):
        preset("loud", SMALL)


def test_every_knob_has_words_that_say_what_it_does(bench: Lab) -> None:
    for control in (*bench.form.controls.values(), *bench.buttons.values()):
        assert len(str(control.tooltip)) > 20
        assert control.description


def test_code_makes_the_same_run(bench: Lab) -> None:
    code = as_code("china", ["swirls_1", "woodblock_1"], SMALL.change(style_blend=(1, 3)))
    found: dict[str, object] = {}
    exec(code.replace("run = ", "given = lambda: "), found)
    assert found["settings"] == SMALL.change(style_blend=(1.0, 3.0))
    assert 'stylize("china"' in code.replace("'", '"')
    assert "your_picture.png" in as_code(torch.zeros(1, 3, 4, 4), ["swirls_1"], Settings())


def test_an_upload_is_chosen_and_what_is_none_gets_a_line(bench: Lab) -> None:
    picture = encode(torch.rand(1, 3, 20, 30), "png")
    assert bench.content.add_upload("mine.png", picture)
    assert bench.content.labels == ["mine.png"]
    assert bench.content.error == ""
    assert not bench.content.add_upload("text<b>.png", b"these are words")
    assert "text&lt;b&gt;.png" in bench.content.error
    assert "\n" not in bench.content.error and "Traceback" not in bench.content.error
    assert bench.content.labels == ["mine.png"]
    assert bench.styles.add_upload("other.png", picture)
    assert bench.styles.labels == ["swirls_1", "other.png"]
    assert bench.styles.blend is None
    bench.styles._sliders["other.png"].value = 2.0
    assert bench.styles.blend == (1.0, 2.0)


def test_an_upload_that_is_too_large(bench: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nstlab.widgets.gallery.LARGEST_UPLOAD", 2**20)
    assert not bench.content.add_upload("big.png", bytes(3 * 2**20))
    assert "has 3 MB; at most 1 MB" in bench.content.error


def test_one_picture_at_least_stays_chosen() -> None:
    told: list[int] = []
    gallery = Gallery("style", ["swirls_1", "swirls_2"], ["swirls_1"], lambda: told.append(1))
    gallery._choices[0].tick.value = False
    assert gallery.labels == ["swirls_1"]
    gallery._choices[1].tick.value = True
    assert gallery.labels == ["swirls_2"]
    assert told == [1]


def test_another_picture_acts_on_the_run(bench: Lab) -> None:
    press(bench, "start")
    until(lambda: bench.session.moment.step > 3)
    press(bench, "pause")
    until(lambda: bench.session.moment.state == "paused")
    bench.styles.choose(["woodblock_1", "swirls_2"])
    bench.styles._told()
    press(bench, "pause")
    assert bench.session.wait(60)
    assert bench.session.moment.state == "finished", bench.session.moment.message
    assert record(bench)["steered"][0]["styles"] == ["swirls_2", "woodblock_1"]


def test_save_writes_picture_animation_and_settings(bench: Lab, tmp_path: Path) -> None:
    assert "no picture" in bench.save()
    press(bench, "start")
    assert bench.session.wait(60)
    press(bench, "save")
    assert "lab_01.png" in bench.view.said.value
    assert load_run(tmp_path / "lab_01.png").recipe["settings"]["seed"] == 2
    assert (tmp_path / "lab_01.gif").exists()
    press(bench, "save")
    assert (tmp_path / "lab_02.png").exists()
    made = bench.session.run
    assert made is not None
    assert torch.equal(rerun(tmp_path / "lab_01.png").image, made.image)


def test_the_expected_time_and_memory_are_said(bench: Lab) -> None:
    assert "of memory" in bench.view.expected.value
    before = bench.view.expected.value
    bench.form.controls["size"].value = 512
    assert bench.view.expected.value != before


@pytest.mark.parametrize(
    ("axes", "count"), [(["style weight"], 8), (["start"], 8), (list(AXES)[:2], 16)]
)
def test_a_sheet_has_eight_to_sixteen_runs(axes: list[str], count: int) -> None:
    sheet = sheet_settings(SMALL, axes)
    assert len(sheet) == count
    assert len({words for words, _ in sheet}) == count
    assert all(each.size == SMALL.size for _, each in sheet)


def test_a_sheet_over_nothing_or_the_unknown() -> None:
    for axes in ([], ["colour"], list(AXES)[:3]):
        with pytest.raises(ValueError, match="choose one or two out of style weight"):
            sheet_settings(SMALL, axes)


def test_a_preview_sheet_and_a_click(bench: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nstlab.widgets.preview.SIZE", 32)
    monkeypatch.setattr("nstlab.widgets.preview.STEPS", 4)
    bench.preview.make()
    bench.preview.wait(120)
    cards = bench.preview._cards.children
    assert len(cards) == 8 and not bench.preview.button.disabled
    words = cards[-1].children[1].description
    cards[-1].children[1].click()
    assert bench.form.settings == bench.preview.settings[words]
    assert bench.form.settings.style_weight == on_log_slider(400.0)
    assert len({card.children[0].value for card in cards}) == 8


def test_a_result_gives_its_settings_back(bench: Lab) -> None:
    press(bench, "start")
    assert bench.session.wait(60)
    bench.form.controls["style_weight"].value = 500.0
    bench.results._on_choose(bench.results.results[0])
    assert bench.form.settings.style_weight == SMALL.style_weight


def test_before_and_after() -> None:
    black, white = torch.zeros(1, 3, 8, 10), torch.ones(1, 3, 16, 20)
    joined = before_and_after(black, white, 0.5)
    assert joined.shape == black.shape
    assert joined[..., :4].max() == 0 and joined[..., 5:].min() == 1
    assert torch.equal(before_and_after(black, white, 1.0), black)
    with pytest.raises(ValueError, match="share is 2; it must be from 0 to 1"):
        before_and_after(black, white, 2)


def test_two_results_can_be_compared(bench: Lab) -> None:
    for seed in (1, 2):
        bench.form.controls["seed"].value = seed
        bench.form.controls["start"].value = "noise"
        press(bench, "start")
        assert bench.session.wait(60)
    before = bench.results._both.value
    bench.results._share.value = 90
    assert bench.results._both.value != before


def test_two_labs_in_one_kernel(bench: Lab, tmp_path: Path) -> None:
    other = lab("chelsea", ["woodblock_1", "swirls_2"], SMALL, tmp_path)
    press(bench, "start")
    press(other, "start")
    assert bench.session.wait(60) and other.session.wait(60)
    assert bench.view.picture.value != other.view.picture.value
    other.close()


def test_readers_without_a_kernel_see_a_picture(bench: Lab) -> None:
    press(bench, "start")
    assert bench.session.wait(60)
    data = bench._repr_mimebundle_()
    assert opened(base64.b64decode(data["image/jpeg"])).width >= 48
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_picture_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no picture 'chinna' on this machine; there is: a"):
        lab("chinna")
