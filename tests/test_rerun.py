import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from nstlab.checkpoints import RecordError
from nstlab.encoders import Encoder, load_encoder
from nstlab.fitting import random_weights
from nstlab.images import save_picture
from nstlab.rerun import differs, rerun
from nstlab.runs import INFO_KEY, Run, Step, read_record
from nstlab.settings import Settings
from nstlab.transfer import invert, stylize, synthesize_texture

SMALL = Settings(size=48, steps=3)


@pytest.fixture
def folder(tmp_path: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photograph and a style picture, which is not the current one."""
    folder = tmp_path / "unspeakable_folder"
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    save_picture(photo, folder / "photo.png")
    save_picture(photo.flip(1), folder / "style.png")
    return folder


def stylized(folder: Path, settings: Settings = SMALL, **options) -> Run:
    return stylize(folder / "photo.png", folder / "style.png", settings, **options)


def forge(path: Path, image: Tensor, record: dict) -> None:
    save_picture(image, path, {INFO_KEY: json.dumps(record)})


def test_the_same_bits_from_files_beside_the_picture(folder: Path):
    run = stylized(folder, SMALL.change(start="noise", seed=5))
    path = run.save(folder / "out.png")
    again = rerun(path)
    assert torch.equal(again.image, run.image)
    assert again.recipe == run.recipe
    assert again.losses.keys() == run.losses.keys()
    assert torch.equal(again.losses["total"], run.losses["total"])


def test_no_folder_stands_in_the_file(folder: Path):
    path = stylized(folder).save(folder / "out.png")
    assert b"unspeakable" not in path.read_bytes()
    assert b"photo.png" in path.read_bytes()


def test_bundled_pictures_are_found_by_name(tmp_path: Path):
    run = stylize("china", "swirls_1", SMALL)
    assert torch.equal(rerun(run.save(tmp_path / "out.png")).image, run.image)


def test_files_are_found_in_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch):
    run = stylized(folder)
    path = run.save(folder.parent / "out.png")
    with pytest.raises(RecordError, match=r"content picture 'photo.png' is neither beside"):
        rerun(path)
    monkeypatch.chdir(folder)
    assert torch.equal(rerun(path).image, run.image)


def test_a_moved_and_renamed_file_is_known_by_its_content(folder: Path):
    run = stylized(folder)
    path = run.save(folder / "out.png")
    moved = (folder / "photo.png").rename(folder.parent / "renamed.png")
    assert torch.equal(rerun(path, pictures=[moved]).image, run.image)


def test_another_picture_of_the_same_name_is_refused(folder: Path, photo: Tensor):
    path = stylized(folder).save(folder / "out.png")
    expected = read_record(path)["recipe"]["pictures"]["content"][0]["sha256"][:12]
    save_picture(1 - photo, folder / "photo.png")
    with pytest.raises(RecordError, match=f"'photo.png' is another one: expected .*{expected}"):
        rerun(path)
    with pytest.raises(RecordError, match=f"'photo.png' is another one: expected .*{expected}"):
        rerun(path, pictures=[folder / "photo.png"])


def test_the_right_file_is_taken_where_a_wrong_one_has_its_name_too(folder: Path, photo: Tensor):
    run = stylized(folder)
    path = run.save("out.png")
    (folder / "photo.png").rename("photo.png")
    (folder / "style.png").rename("style.png")
    path = path.rename(folder / "out.png")
    save_picture(1 - photo, folder / "photo.png")
    assert torch.equal(rerun(path).image, run.image)


def test_a_picture_that_did_not_go_in_is_refused(folder: Path, photo: Tensor):
    path = stylized(folder).save(folder / "out.png")
    save_picture(1 - photo, folder / "third.png")
    with pytest.raises(RecordError, match=r"'third.png' .* did not go into .* photo.png, style"):
        rerun(path, pictures=[folder / "third.png"])


def test_pictures_from_memory_must_be_handed_over(folder: Path, photo: Tensor):
    pil = Image.open(folder / "style.png")
    run = stylize(photo, pil, SMALL)
    path = run.save(folder / "out.png")
    with pytest.raises(RecordError, match="content picture was handed over in memory"):
        rerun(path)
    with pytest.raises(RecordError, match="'in memory' is another one"):
        rerun(path, pictures=[photo * 0.5, pil])
    assert torch.equal(rerun(path, pictures=[pil, photo]).image, run.image)


def test_a_start_picture_is_found_like_the_others(folder: Path, photo: Tensor):
    save_picture(photo.flip(2), folder / "start.png")
    run = invert(folder / "photo.png", SMALL, start_picture=folder / "start.png")
    path = run.save(folder / "out.png")
    assert torch.equal(rerun(path).image, run.image)
    (folder / "start.png").unlink()
    with pytest.raises(RecordError, match=r"the start picture 'start.png'"):
        rerun(path)


def test_textures_of_several_styles(folder: Path):
    settings = SMALL.change(style_blend=(1, 3))
    run = synthesize_texture([folder / "photo.png", folder / "style.png"], settings)
    assert torch.equal(rerun(run.save(folder / "out.png")).image, run.image)


def test_a_stopped_run_is_made_up_to_the_same_step(folder: Path):
    def stop(step: Step) -> None:
        if step.step == 2:
            raise StopIteration

    run = stylized(folder, SMALL.change(steps=50), on_step=stop)
    assert run.ended == "stopped"
    again = rerun(run.save(folder / "out.png"))
    assert again.steps == 2
    assert torch.equal(again.image, run.image)


def test_watchers_see_the_run(folder: Path):
    path = stylized(folder).save(folder / "out.png")
    told: list[Step] = []
    again = rerun(path, on_step=told.append, frame_every=1)
    assert [step.step for step in told] == [0, 1, 2, 3]
    assert sorted(again.frames) == [0, 1, 2, 3]


def test_random_weights_are_made_again_with_pooling_and_seed(folder: Path):
    settings = SMALL.change(
        encoder="alexnet",
        weights="random",
        seed=7,
        pooling="average",
        size=64,
        content_layers=("relu2",),
        style_layers=("relu1",),
    )
    run = stylized(folder, settings)
    assert torch.equal(rerun(run.save(folder / "out.png")).image, run.image)


def test_a_weight_file_is_found_by_name_and_checked(folder: Path):
    weights = folder / "mine.safetensors"
    save_file(random_weights("lite", seed=0, widths=(4, 5, 6, 7, 8)), weights)
    run = stylized(folder, SMALL.change(encoder=str(weights)))
    path = run.save(folder / "out.png")
    assert torch.equal(rerun(path).image, run.image)
    moved = weights.rename(folder.parent / "moved.safetensors")
    with pytest.raises(RecordError, match=r"weight file 'mine.safetensors' of the encoder is nei"):
        rerun(path)
    assert torch.equal(rerun(path, encoder=moved).image, run.image)
    assert torch.equal(rerun(path, encoder=load_encoder(moved)).image, run.image)
    save_file(random_weights("lite", seed=1, widths=(4, 5, 6, 7, 8)), weights)
    with pytest.raises(RecordError, match="give the encoder or weight file"):
        rerun(path)
    with pytest.raises(RecordError, match="give the encoder or weight file"):
        rerun(path, encoder="lite")


def test_weights_for_a_named_network(folder: Path):
    weights = folder / "mine.safetensors"
    save_file(random_weights("lite", seed=0, widths=(4, 5, 6, 7, 8)), weights)
    run = stylized(folder, SMALL.change(encoder="lite", weights=str(weights)))
    assert torch.equal(rerun(run.save(folder / "out.png")).image, run.image)


def test_a_file_handed_over_as_encoder_is_found_too(folder: Path):
    weights = folder / "mine.safetensors"
    save_file(random_weights("lite", seed=0, widths=(4, 5, 6, 7, 8)), weights)
    run = stylized(folder, encoder=load_encoder(weights))
    assert run.recipe["settings"]["weights"] is None
    path = run.save(folder / "out.png")
    assert torch.equal(rerun(path).image, run.image)
    weights.unlink()
    with pytest.raises(RecordError, match=r"weight file 'mine.safetensors' .*--encoder FILE"):
        rerun(path)


def test_a_file_with_the_name_of_the_networks_own_weights(folder: Path):
    weights = folder / "lite.safetensors"
    save_file(random_weights("lite", seed=0, widths=(4, 5, 6, 7, 8)), weights)
    run = stylized(folder, SMALL.change(encoder=str(weights)))
    path = run.save(folder / "out.png")
    assert torch.equal(rerun(path).image, run.image)
    plain = stylized(folder)
    assert torch.equal(rerun(plain.save(folder / "plain.png")).image, plain.image)


def test_a_weight_file_is_not_read_before_its_content_is_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    weights = folder / "mine.pth"
    torch.save(random_weights("lite", seed=0, widths=(4, 5, 6, 7, 8)), weights)
    path = stylized(folder, SMALL.change(encoder=str(weights))).save(folder / "out.png")
    weights.write_bytes(b"something else")

    def read(*_args: object) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr("nstlab.encoders.loading.read_weights", read)
    with pytest.raises(RecordError, match=r"these are 'mine.pth' of SHA-256"):
        rerun(path)
    with pytest.raises(RecordError, match=r"these are 'mine.pth' of SHA-256"):
        rerun(path, encoder=weights)


def test_names_that_lead_to_another_folder_are_not_followed(folder: Path, photo: Tensor):
    save_file(random_weights("lite", seed=0, widths=(4, 5, 6, 7, 8)), folder / "mine.safetensors")
    run = stylized(folder, SMALL.change(encoder=str(folder / "mine.safetensors")))
    for name in (f"../{folder.name}/photo.png", str(folder / "photo.png"), "a\\b.png", "..", ""):
        record = json.loads(json.dumps(run.record()))
        record["recipe"]["pictures"]["content"][0]["name"] = name
        forge(folder / "a.png", photo, record)
        with pytest.raises(RecordError, match=r"named with a folder, .* --picture FILE"):
            rerun(folder / "a.png")
        assert torch.equal(
            rerun(folder / "a.png", pictures=[folder / "photo.png"]).image, run.image
        )
    record = json.loads(json.dumps(run.record()))
    record["recipe"]["encoder"]["weights"] = f"../{folder.name}/mine.safetensors"
    forge(folder / "b.png", photo, record)
    with pytest.raises(RecordError, match=r"is neither beside the picture nor"):
        rerun(folder / "b.png")


def test_a_steered_picture_cannot_be_made_again(folder: Path):
    run = stylized(folder)
    run.recipe["steered"] = [{"step": 3, "style_weight": 80.0}]
    with pytest.raises(RecordError, match=r"a\.png was steered by hand"):
        rerun(run.save(folder / "a.png"))


def test_an_encoder_of_another_pooling_or_seed_is_refused(folder: Path):
    path = stylized(folder).save(folder / "a.png")
    with pytest.raises(RecordError, match="made with max pooling, but this encoder has average"):
        rerun(path, encoder=load_encoder("lite", pooling="average"))
    layers = {"content_layers": ("relu2",), "style_layers": ("relu1",)}
    settings = SMALL.change(encoder="alexnet", weights="random", seed=7, size=64, **layers)
    path = stylized(folder, settings).save(folder / "b.png")
    with pytest.raises(RecordError, match="these are alexnet and 'random-8'"):
        rerun(path, encoder=load_encoder("alexnet", weights="random", seed=8))


FORGED = [
    (["recipe"], []),
    (["recipe", "task"], None),
    (["recipe", "task"], ["stylize"]),
    (["recipe", "settings"], None),
    (["recipe", "settings"], {"steps": "many"}),
    (["recipe", "settings"], {"start": "picture"}),
    (["recipe", "settings"], {"bake": 3}),
    (["recipe", "pictures"], []),
    (["recipe", "pictures"], {"content": []}),
    (["recipe", "pictures", "content"], "photo.png"),
    (["recipe", "pictures", "content"], 3),
    (["recipe", "pictures", "content"], [{}]),
    (["recipe", "pictures", "content"], [{"name": 3, "sha256": "0"}]),
    (["recipe", "pictures", "content"], [{"name": "a", "sha256": "0"}] * 2),
    (["recipe", "encoder"], None),
    (["recipe", "encoder"], {"network": "lite"}),
    (["recipe", "encoder", "network"], "photo.png"),
    (["recipe", "encoder", "network"], "evil.pth"),
    (["recipe", "encoder", "network"], ["lite"]),
    (["recipe", "encoder", "weights"], None),
    (["recipe", "encoder", "sha256"], 7),
    (["recipe", "encoder"], {"network": "lite", "weights": "random-x", "sha256": None}),
    (["recipe", "encoder"], {"network": "lite", "weights": f"random-{10**30}", "sha256": None}),
    (["machine"], []),
    (["losses"], None),
    (["steps_made"], "3"),
    (["ended"], None),
]


@pytest.mark.parametrize(("where", "value"), FORGED)
def test_forged_records_give_one_sentence(folder: Path, photo: Tensor, where: list[str], value):
    record = json.loads(json.dumps(stylized(folder).record()))
    part = record
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    forge(folder / "a.png", photo, record)
    with pytest.raises(RecordError) as caught:
        rerun(folder / "a.png")
    assert "\n" not in str(caught.value)


def test_an_encoder_from_memory_must_be_handed_over(folder: Path, tiny_encoder: Encoder):
    run = stylized(folder, encoder=tiny_encoder)
    path = run.save(folder / "out.png")
    with pytest.raises(RecordError, match=r"'tiny'\) was handed over in memory"):
        rerun(path)
    assert torch.equal(rerun(path, encoder=tiny_encoder).image, run.image)


def test_pictures_without_a_record_or_recipe_are_refused(folder: Path, photo: Tensor):
    with pytest.raises(RecordError, match="carries no nstlab settings"):
        rerun(folder / "photo.png")
    run = stylized(folder)
    record = run.record()
    forge(folder / "a.png", photo, record | {"recipe": {}})
    with pytest.raises(RecordError, match=r"a.png does not say how to make it again"):
        rerun(folder / "a.png")
    changed = record["recipe"] | {"settings": {"size": 4}}
    forge(folder / "b.png", photo, record | {"recipe": changed})
    with pytest.raises(RecordError, match="must be at least 16"):
        rerun(folder / "b.png")
    forge(folder / "c.png", photo, record | {"recipe": record["recipe"] | {"task": "bake"}})
    with pytest.raises(RecordError, match="bake"):
        rerun(folder / "c.png")


def test_differs_names_what_the_last_bits_depend_on(folder: Path):
    run = stylized(folder)
    record = json.loads(json.dumps(run.record()))
    assert differs(run, record) == ""
    record["machine"] |= {"threads": 64, "torch": "0.1"}
    told = differs(run, record)
    assert "threads was 64, is 1" in told
    assert "torch was 0.1, is" in told
    assert "python" not in told
