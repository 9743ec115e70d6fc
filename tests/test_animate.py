import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np
import pytest
import torch
from torch import Tensor

from nstlab.animate import check_animation, save_animation
from nstlab.images import PictureError, PictureExistsError
from nstlab.images.drawing import draw_label, encode_gif
from nstlab.runs import Run

STEPS = (0, 10, 20)
SHADES = (40, 120, 210)


def flat(value: int, height: int = 60, width: int = 90) -> Tensor:
    return torch.full((3, height, width), value, dtype=torch.uint8)


@pytest.fixture
def run() -> Run:
    """Three flat frames, darker to lighter, of two pictures."""
    losses = torch.logspace(1, -1, 21)[:, None].repeat(1, 2)
    frames = {
        step: torch.stack([flat(shade), flat(255 - shade)])
        for step, shade in zip(STEPS, SHADES, strict=True)
    }
    return Run(torch.zeros(2, 3, 60, 90), {"total": losses}, frames=frames)


def read_frames(path: Path) -> np.ndarray:
    return iio.imread(path, index=None)[..., :3]


def decoded_video(path: Path, height: int, width: int) -> np.ndarray:
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    words = [ffmpeg, "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    data = subprocess.run(words, capture_output=True, check=True, timeout=60).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, height, width, 3)


def test_a_gif_shows_the_frames_in_order(run: Run, tmp_path: Path):
    path = save_animation(run, tmp_path / "a.gif", labels=False)
    frames = read_frames(path)
    assert frames.shape == (3, 60, 90, 3)
    for frame, shade in zip(frames, SHADES, strict=True):
        assert np.abs(frame.astype(int) - shade).max() <= 2


def test_the_index_chooses_the_picture(run: Run, tmp_path: Path):
    frames = read_frames(save_animation(run, tmp_path / "a.gif", labels=False, index=1))
    assert abs(int(frames[0].mean()) - (255 - SHADES[0])) <= 2


def test_times_and_loop_are_those_asked_for(run: Run, tmp_path: Path):
    once = save_animation(run, tmp_path / "a.gif", frames_per_second=4, hold_last=1.5, loop=False)
    durations = [iio.immeta(once, index=k)["duration"] for k in range(3)]
    assert durations == [250, 250, 1500]
    assert b"NETSCAPE2.0" not in once.read_bytes()
    forever = save_animation(run, tmp_path / "b.gif")
    assert iio.immeta(forever, index=0)["loop"] == 0
    assert b"NETSCAPE2.0" in forever.read_bytes()


def test_labels_change_the_lower_left_corner_only(run: Run, tmp_path: Path):
    plain = read_frames(save_animation(run, tmp_path / "a.gif", labels=False)).astype(int)
    labelled = read_frames(save_animation(run, tmp_path / "b.gif")).astype(int)
    changed = np.abs(plain - labelled).max(3) > 12
    assert all(frame[30:, :60].any() for frame in changed)
    assert not changed[:, :30].any()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_label_can_be_read_on_any_background(value: int):
    drawn = draw_label(flat(value, 384, 384), "step 100")
    assert drawn.shape == (3, 384, 384)
    box = drawn[:, 340:, :100].float()
    assert box.max() > 230
    assert box.flatten(1).mode(1).values.max() < 100
    assert torch.equal(drawn[:, :320], flat(value, 320, 384))


def test_a_label_fits_a_narrow_picture():
    drawn = draw_label(flat(128, 64, 48), "step 1000")
    right = (drawn != 128).any(0).any(0).nonzero().max()
    assert right < 47


def test_different_labels_look_different():
    assert not torch.equal(draw_label(flat(99), "step 1"), draw_label(flat(99), "step 2"))


def test_the_curve_stands_beside_the_picture_and_grows(run: Run, tmp_path: Path):
    frames = read_frames(save_animation(run, tmp_path / "a.gif", labels=False, curve=True))
    assert frames.shape == (3, 200, 90 + 180, 3)
    assert np.abs(frames[2, 70:130, :90].astype(int) - SHADES[2]).max() <= 3
    plots = frames[:, :, 90:].astype(int)
    orange = (plots[..., 0] > 180) & (plots[..., 2] < 90)
    counts = orange.sum((1, 2))
    assert counts[0] < counts[1] < counts[2]


def test_a_gif_has_colours_of_its_own_in_each_frame():
    generator = torch.Generator().manual_seed(0)
    red = torch.rand(1, 40, 40, generator=generator) * 255
    frames = [torch.zeros(3, 40, 40), torch.zeros(3, 40, 40)]
    frames[0][0], frames[1][2] = red[0], red[0]
    data = encode_gif([frame.to(torch.uint8) for frame in frames], [0.1, 0.1])
    decoded = iio.imread(data, index=None, extension=".gif")[..., :3].astype(float)
    for frame, shown in zip(frames, decoded, strict=True):
        assert np.abs(shown - frame.permute(1, 2, 0).numpy()).mean() < 2


def test_dithering_keeps_the_mean_of_a_gradient():
    ramp = (
        torch.linspace(0, 255, 300).expand(3, 60, 300) * torch.tensor([1, 0.7, 0.4])[:, None, None]
    )
    data = encode_gif([ramp.round().to(torch.uint8)], [0.5])
    shown = torch.from_numpy(iio.imread(data, extension=".gif")[..., :3].copy()).float()
    for part in range(10):
        columns = slice(30 * part, 30 * part + 30)
        difference = shown.reshape(60, 300, 3)[:, columns].mean((0, 1)) - ramp[..., columns].mean(
            (1, 2)
        )
        assert difference.abs().max() < 2


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_videos_have_even_sides_and_the_right_length(run: Run, tmp_path: Path, suffix: str):
    frames = {step: each[..., :59, :89] for step, each in run.frames.items()}
    odd = Run(run.image[..., :59, :89], run.losses, frames=frames)
    path = save_animation(
        odd, tmp_path / f"a{suffix}", labels=False, frames_per_second=4, hold_last=1
    )
    frames = decoded_video(path, 60, 90)
    assert frames.shape[1:] == (60, 90, 3)
    assert abs(len(frames) - 36) <= 1
    assert abs(float(frames[2].mean()) - SHADES[0]) < 6
    assert abs(float(frames[-2].mean()) - SHADES[2]) < 6
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_without_imageio_ffmpeg_the_message_says_how_to_get_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(PictureError, match=r'pip install "nstlab\[video\]"'):
        save_animation(run, tmp_path / "a.mp4")
    with pytest.raises(PictureError, match=r"or save a .gif"):
        check_animation(tmp_path / "a.webm")
    assert check_animation(tmp_path / "a.gif") is None


def test_a_run_without_frames_says_what_to_pass(run: Run, tmp_path: Path):
    bare = Run(run.image, run.losses)
    with pytest.raises(ValueError, match="frame_every=10"):
        save_animation(bare, tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())


def test_numbers_out_of_range_are_refused(run: Run, tmp_path: Path):
    with pytest.raises(ValueError, match="frames_per_second is 0"):
        save_animation(run, tmp_path / "a.gif", frames_per_second=0.0)
    with pytest.raises(ValueError, match="hold_last is -1"):
        save_animation(run, tmp_path / "a.gif", hold_last=-1.0)


def test_other_suffixes_and_existing_files_are_refused(run: Run, tmp_path: Path):
    with pytest.raises(PictureError, match=r"must end in one of .gif, .mp4, .webm"):
        save_animation(run, tmp_path / "a.avi")
    path = save_animation(run, tmp_path / "a.gif")
    with pytest.raises(PictureExistsError, match="exists already"):
        check_animation(path)
    assert check_animation(path, overwrite=True) is None
    assert save_animation(run, path) == path


def test_frames_of_a_gif_must_fit_together():
    with pytest.raises(PictureError, match="frames of one size"):
        encode_gif([flat(0), flat(0, 61)], [1.0, 1.0])
    with pytest.raises(PictureError, match=r"1 frames .* and 2 times"):
        encode_gif([flat(0)], [1.0, 1.0])
    with pytest.raises(PictureError, match="0 frames"):
        encode_gif([], [])


def test_eleven_frames_stay_small(tmp_path: Path):
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(11, 1, 3, 256, 384, generator=generator)
    frames = {step: (255 * each).to(torch.uint8) for step, each in enumerate(noise)}
    run = Run(noise[0], {"total": torch.ones(11, 1)}, frames=frames)
    assert save_animation(run, tmp_path / "a.gif").stat().st_size < 2_000_000
