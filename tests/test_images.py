import inspect
import json
import os
import random
import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, PngImagePlugin, features

from nstlab.images import (
    LARGEST,
    PictureError,
    PictureExistsError,
    check_picture,
    check_writable,
    encode,
    from_pil,
    open_picture,
    read_info,
    reading,
    resize,
    save_picture,
    scale_to_cover,
    to_pil,
    writing,
)

# Left half red, right half blue, the lower left corner green: every turn and flip looks different.
MARKED = np.zeros((6, 10, 3), np.uint8)
MARKED[:, :5, 0] = 255
MARKED[:, 5:, 2] = 255
MARKED[4:, :2] = (0, 255, 0)


def marked_tensor():
    return torch.from_numpy(MARKED).permute(2, 0, 1)[None].float() / 255


def file_bytes(image, kind="PNG", **options):
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(height=24, width=32, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def chunk(name, content):
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def png_header(width, height):
    """A PNG that claims a size and holds no pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def red_green_swapped_profile():
    """The sRGB profile with the red and the green primary exchanged."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"tmp_").replace(b"gXYZ", b"rXYZ").replace(b"tmp_", b"gXYZ")


# Reading


def test_a_png_gives_its_pixels_exactly(tmp_path):
    Image.fromarray(MARKED).save(tmp_path / "a.png")
    picture = open_picture(tmp_path / "a.png")
    assert picture.dtype == torch.float32
    assert torch.equal(picture, marked_tensor())
    assert picture.is_contiguous()


def test_path_text_bytes_and_pil_give_the_same(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(MARKED).save(path)
    expected = open_picture(path)
    assert torch.equal(open_picture(str(path)), expected)
    assert torch.equal(open_picture(path.read_bytes()), expected)
    assert torch.equal(open_picture(Image.open(path)), expected)


def test_home_sign_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    Image.fromarray(MARKED).save(tmp_path / "a.png")
    assert torch.equal(open_picture("~/a.png"), marked_tensor())


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation, kind):
    # The array operation that a camera held that way would need, undone by hand.
    stored = {
        1: MARKED,
        2: MARKED[:, ::-1],
        3: MARKED[::-1, ::-1],
        4: MARKED[::-1],
        5: MARKED.transpose(1, 0, 2),
        6: np.rot90(MARKED, 1),
        7: MARKED[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(MARKED, -1),
    }[orientation]
    large = np.kron(stored, np.ones((16, 16, 1), np.uint8))  # lossy blocks stay of one colour
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {} if kind in ("PNG", "TIFF") else {"quality": 95}
    picture = open_picture(file_bytes(Image.fromarray(large), kind, exif=exif, **options))
    assert picture.shape == (1, 3, 96, 160)
    middle = picture[..., 8::16, 8::16]
    assert (middle - marked_tensor()).abs().max() < 0.05


@pytest.mark.parametrize("exif", [b"II*\x00\xff\xff\xff\xff", b"no EXIF at all"])
def test_broken_exif_does_not_keep_anybody_from_the_pixels(exif):
    data = file_bytes(Image.fromarray(MARKED), exif=b"Exif\x00\x00" + exif)
    assert torch.equal(open_picture(data), marked_tensor())


def test_transparency_is_laid_over_white():
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 0] = 200  # the same red three times: opaque, half, not there
    rgba[0, :, 3] = (255, 128, 0)
    picture = open_picture(file_bytes(Image.fromarray(rgba)))
    half = 128 / 255
    expected = [200 / 255, (200 / 255) * half + 1 - half, 1]
    assert torch.allclose(picture[0, 0, 0], torch.tensor(expected), atol=1 / 255)
    assert torch.allclose(picture[0, 1, 0], torch.tensor([0, 1 - half, 1]), atol=1 / 255)


@pytest.mark.parametrize("mode", ["LA", "PA", "La", "RGBa"])
def test_other_modes_with_transparency(mode):
    source = Image.new("RGBA", (2, 1), (90, 90, 90, 255))
    source.putpixel((1, 0), (90, 90, 90, 0))
    through = {"La": "LA", "PA": "P"}.get(mode, "RGBA")
    image = source.convert(through).convert(mode) if mode != "PA" else source.convert("PA")
    picture = from_pil(image)
    assert torch.allclose(picture[0, :, 0, 0], torch.full((3,), 90 / 255), atol=2 / 255)
    assert torch.equal(picture[0, :, 0, 1], torch.ones(3))


def test_palette_with_transparent_entries():
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    for x in range(3):
        image.putpixel((x, 0), x)
    opaque = open_picture(file_bytes(image))
    assert torch.equal(opaque[0, :, 0], torch.eye(3))
    one = open_picture(file_bytes(image, transparency=1))
    assert torch.equal(one[0, :, 0, 1], torch.ones(3))
    assert torch.equal(one[0, :, 0, 0], torch.tensor([1.0, 0, 0]))
    several = open_picture(file_bytes(image, transparency=bytes([255, 255, 0])))
    assert torch.equal(several[0, :, 0, 2], torch.ones(3))
    assert torch.equal(several[0, :, 0, 1], torch.tensor([0, 1.0, 0]))


def test_rgb_with_a_transparent_colour():
    picture = open_picture(file_bytes(Image.fromarray(MARKED), transparency=(0, 255, 0)))
    assert torch.equal(picture[0, :, 5, 0], torch.ones(3))
    assert torch.equal(picture[0, :, 0, 0], torch.tensor([1.0, 0, 0]))


def test_grey_and_black_and_white():
    grey = np.array([[0, 51, 255]], np.uint8)
    assert torch.allclose(from_pil(Image.fromarray(grey))[0, :, 0], torch.tensor([0, 0.2, 1.0]))
    bits = from_pil(Image.fromarray(grey > 40))
    assert torch.equal(bits[0, 2, 0], torch.tensor([0, 1.0, 1.0]))


def test_cmyk():
    image = Image.new("CMYK", (2, 1), (255, 0, 0, 0))  # cyan ink only
    image.putpixel((1, 0), (0, 0, 0, 255))
    picture = open_picture(file_bytes(image, "TIFF"))
    assert torch.equal(picture[0, :, 0, 0], torch.tensor([0, 1.0, 1.0]))
    assert torch.equal(picture[0, :, 0, 1], torch.zeros(3))
    assert open_picture(file_bytes(image, "JPEG")).shape == (1, 3, 1, 2)


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "RGBX", "LAB"])
def test_other_colour_spaces_give_the_same_picture(mode):
    image = Image.new("RGB", (4, 4), (200, 100, 40))
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        other = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
        assert other is not None
    else:
        other = image.convert(mode)
    assert (from_pil(other) - from_pil(image)).abs().max() < 0.02


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_depth(kind):
    values = np.array([[0, 1, 257, 32768, 65535]], np.uint16)
    picture = open_picture(file_bytes(Image.fromarray(values), kind))
    expected = torch.from_numpy(values.astype(np.float64) / 65535).float()
    assert torch.equal(picture, expected.expand(1, 3, 1, 5))


def test_sixteen_bit_with_the_large_byte_first():
    values = np.array([[0, 1000, 65535]], np.uint16)
    image = Image.frombytes("I;16B", (3, 1), values.astype(">u2").tobytes())
    assert torch.allclose(from_pil(image)[0, 0, 0], torch.tensor([0, 1000 / 65535, 1]))


def test_sixteen_bit_rgb_png():
    rows = b"\x00" + struct.pack(">6H", 65535, 0, 32768, 0, 65535, 16384)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0))
    data += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    expected = torch.tensor([[1.0, 0, 0.5], [0, 1.0, 0.25]]).T
    assert torch.allclose(open_picture(data)[0, :, 0], expected, atol=1 / 255)


def test_wide_integers_and_floats_are_scaled():
    def first_row(array):
        return from_pil(Image.fromarray(array))[0, 1, 0]

    sixteen = np.array([[-5, 0, 65535]], np.int32)
    assert torch.equal(first_row(sixteen), torch.tensor([0.0, 0.0, 1.0]))
    wide = np.array([[0, 2**29, 2**30]], np.int32)
    assert torch.equal(first_row(wide), torch.tensor([0.0, 0.5, 1.0]))
    unit = np.array([[-0.5, 0.25, 0.5]], np.float32)
    assert torch.equal(first_row(unit), torch.tensor([0.0, 0.25, 0.5]))
    large = np.array([[0, 100, 200]], np.float32)
    assert torch.equal(first_row(large), torch.tensor([0.0, 0.5, 1.0]))
    with pytest.raises(PictureError, match="NaN or infinity"):
        first_row(np.array([[0, np.nan]], np.float32))


def test_colour_profile_is_converted_to_srgb():
    data = file_bytes(Image.fromarray(MARKED), icc_profile=red_green_swapped_profile())
    exchanged = marked_tensor()[:, [1, 0, 2]]
    assert (open_picture(data) - exchanged).abs().max() < 0.01


def test_colour_profile_and_transparency_together():
    rgba = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    rgba.putpixel((1, 0), (255, 0, 0, 0))
    picture = open_picture(file_bytes(rgba, icc_profile=red_green_swapped_profile()))
    assert (picture[0, :, 0, 0] - torch.tensor([0, 1.0, 0])).abs().max() < 0.01
    assert torch.equal(picture[0, :, 0, 1], torch.ones(3))


def test_srgb_profile_changes_nothing_that_can_be_seen():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    original = to_pil(noise())
    with_profile = open_picture(file_bytes(original, icc_profile=profile))
    assert (with_profile - from_pil(original)).abs().max() <= 1.5 / 255


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P"])
def test_unusable_profiles_are_left_aside(mode):
    image = Image.fromarray(MARKED).convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    plain = open_picture(file_bytes(image, kind))
    assert torch.equal(open_picture(file_bytes(image, kind, icc_profile=b"not a profile")), plain)
    if mode == "CMYK":  # a profile of another colour space
        profile = red_green_swapped_profile()
        assert torch.equal(open_picture(file_bytes(image, kind, icc_profile=profile)), plain)


def test_a_grey_profile_is_for_grey_pictures_only():
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = data[:16] + b"GRAY" + data[20:].replace(b"rTRC", b"kTRC")
    profile = profile.replace(struct.pack(">I", 0x26666), struct.pack(">I", 0x13333))  # γ 2.4 → 1.2
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    grey = open_picture(file_bytes(ramp, icc_profile=profile)) - from_pil(ramp)
    assert grey[..., 8, 0].min() > 0.1  # brighter in the middle, the same at both ends
    assert max(grey[..., 0, 0].abs().max(), grey[..., -1, -1].abs().max()) < 0.01
    coloured = open_picture(file_bytes(Image.fromarray(MARKED), icc_profile=profile))
    assert torch.equal(coloured, marked_tensor())


def test_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "lime")]
    data = file_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])
    picture = open_picture(data)
    assert torch.equal(picture[0, :, 0, 0], torch.tensor([1.0, 0, 0]))


# Refusing


def test_missing_empty_folder_and_no_picture(tmp_path):
    with pytest.raises(PictureError, match=r"there is no file '.*nothing\.png'"):
        open_picture(tmp_path / "nothing.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(PictureError, match="is empty, not a picture"):
        open_picture(tmp_path / "empty.png")
    with pytest.raises(PictureError, match="is a folder"):
        open_picture(tmp_path)
    (tmp_path / "text.jpg").write_text("<html>not a picture</html>")
    with pytest.raises(PictureError, match=r"text\.jpg' is not a picture .*JPEG, PNG.*convert"):
        open_picture(tmp_path / "text.jpg")
    with pytest.raises(PictureError, match=r"the data \(3 bytes\) is not a picture"):
        open_picture(b"abc")
    with pytest.raises(PictureError, match="is empty"):
        open_picture(b"")
    with pytest.raises(PictureError, match="cannot read"):
        open_picture("a" * 5000)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PictureError, match="not a regular file"):
        open_picture(tmp_path / "pipe.png")


def test_postscript_never_reaches_an_outside_program():
    data = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    with pytest.raises(PictureError, match="is not a picture that can be read here"):
        open_picture(data)


def test_another_kind_of_source_is_a_type_error():
    unchecked = inspect.unwrap(open_picture)
    with pytest.raises(TypeError, match=r"cannot open a ndarray.*Image\.fromarray"):
        unchecked(MARKED)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
def test_truncated_files_give_one_sentence(kind):
    data = file_bytes(to_pil(noise()), kind)
    for length in (len(data) // 4, len(data) // 2):
        with pytest.raises(PictureError) as caught:
            open_picture(data[:length])
        assert "\n" not in str(caught.value)
        assert caught.value.__cause__ is not None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
def test_damaged_files_give_a_picture_or_one_sentence(kind):
    data = bytearray(file_bytes(to_pil(noise(8, 8)), kind))
    chance = random.Random(kind)
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(4):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            check_picture(open_picture(bytes(damaged)))
        except PictureError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("side", [12_500, 20_000, 2_000_000])
def test_decompression_bombs_are_refused_from_the_header(side):
    with pytest.raises(PictureError, match="at most 150 megapixels are read: scale it down"):
        open_picture(png_header(side, side))


def test_large_but_allowed_is_decoded_without_a_warning():
    assert LARGEST > 10_000 * 10_000  # Pillow warns at this size
    with pytest.raises(PictureError, match="damaged"):
        open_picture(png_header(10_000, 10_000))


def test_the_limit_holds_for_pil_images_too(monkeypatch):
    monkeypatch.setattr(reading, "LARGEST", 59)
    with pytest.raises(PictureError, match="the PIL image has 10 × 6 pixels; at most"):
        from_pil(Image.fromarray(MARKED))


def test_one_pixel_and_none():
    assert open_picture(file_bytes(Image.new("RGB", (1, 1), "white"))).shape == (1, 3, 1, 1)
    with pytest.raises(PictureError, match="0 × 5 pixels"):
        from_pil(Image.new("RGB", (0, 5)))


def test_a_pil_image_that_cannot_be_decoded():
    lazy = Image.open(BytesIO(file_bytes(to_pil(noise()), "JPEG")[:-200]))
    with pytest.raises(PictureError, match="the PIL image is damaged"):
        from_pil(lazy)


def test_check_picture_says_what_came_in():
    check_picture(torch.rand(2, 3, 1, 1))
    with pytest.raises(PictureError, match=r"shape \(3, 4, 4\).*unsqueeze"):
        check_picture(torch.rand(3, 4, 4))
    with pytest.raises(PictureError, match=r"shape \(1, 4, 4, 4\)"):
        check_picture(torch.rand(1, 4, 4, 4))
    with pytest.raises(PictureError, match="at least one pixel"):
        check_picture(torch.rand(1, 3, 0, 4))
    with pytest.raises(PictureError, match=r"uint8.*/ 255"):
        check_picture(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))
    with pytest.raises(PictureError, match="NaN or infinity"):
        check_picture(torch.full((1, 3, 2, 2), torch.inf))
    with pytest.raises(PictureError, match="got a ndarray"):
        check_picture(MARKED)


# Sizes


def test_resize_to_the_same_size_is_the_picture_itself():
    picture = noise()
    assert resize(picture, 32) is picture
    assert resize(picture, (24, 32)) is picture


@pytest.mark.parametrize(("size", "shape"), [(16, (12, 16)), (64, (48, 64)), ((5, 7), (5, 7))])
def test_resize_gives_the_size_asked_for(size, shape):
    picture = resize(noise(), size)
    assert picture.shape == (1, 3, *shape)
    assert picture.dtype == torch.float32
    assert picture.min() >= 0 and picture.max() <= 1


def test_resize_keeps_a_flat_colour_and_a_thin_picture():
    flat = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 9, 13)
    for size in (5, 40):
        assert torch.allclose(resize(flat, size).amax((2, 3)), flat.amax((2, 3)), atol=1e-6)
        assert torch.allclose(resize(flat, size).amin((2, 3)), flat.amin((2, 3)), atol=1e-6)
    assert resize(noise(1, 1000), 10).shape == (1, 3, 1, 10)


def test_shrinking_averages_and_does_not_sample():
    board = (torch.arange(64).view(-1, 1) + torch.arange(64)).remainder(2).float()
    small = resize(board.expand(1, 3, 64, 64), 8)
    assert (small[..., 1:-1, 1:-1] - 0.5).abs().max() < 0.02


@pytest.mark.parametrize("size", [(11, 17), (60, 50)])
def test_resize_is_the_bicubic_filter_that_pillow_has(size):
    picture = from_pil(to_pil(noise() * 0.4 + 0.3))  # Pillow also clips between its two passes
    theirs = to_pil(picture).resize(size[::-1], Image.Resampling.BICUBIC)
    assert (resize(picture, size) - from_pil(theirs)).abs().max() < 2.5 / 255


def test_resize_refuses_nothing_at_all():
    for size in (0, -3, (0, 5)):
        with pytest.raises(PictureError, match="every side must be 1 pixel or more"):
            resize(noise(), size)
    with pytest.raises(PictureError, match="every side must be 1 pixel or more"):
        scale_to_cover(noise(), 5, 0)


@pytest.mark.parametrize(("height", "width"), [(12, 12), (100, 30), (7, 90), (24, 32), (1, 1)])
def test_cover_gives_exactly_that_size(height, width):
    assert scale_to_cover(noise(), height, width).shape == (1, 3, height, width)


def test_cover_keeps_the_middle_undistorted():
    picture = torch.zeros(1, 3, 10, 30)
    picture[..., 10:20] = 1  # the middle third is white
    assert torch.equal(scale_to_cover(picture, 10, 10), torch.ones(1, 3, 10, 10))
    assert torch.equal(scale_to_cover(picture, 10, 30), picture)
    tall = scale_to_cover(picture.mT, 10, 10)
    assert torch.equal(tall, torch.ones(1, 3, 10, 10))


# Writing


def test_to_pil_rounds_and_clamps():
    picture = torch.tensor([-1.0, 0.0, 0.499 / 255, 0.501 / 255, 0.5, 1.0, 7.0])
    values = np.asarray(to_pil(picture.view(1, 1, 1, 7).expand(1, 3, 1, 7)))
    assert values[0, :, 0].tolist() == [0, 0, 0, 1, 128, 255, 255]


def test_to_pil_and_back_is_exact_for_eight_bits():
    every = torch.arange(256).view(1, 1, 16, 16).expand(1, 3, 16, 16) / 255
    assert torch.equal(from_pil(to_pil(every)), every)


def test_to_pil_takes_any_picture_of_a_batch_and_any_layout():
    batch = torch.cat([noise(seed=0), noise(seed=1)]).to(memory_format=torch.channels_last)
    assert to_pil(batch, 1) == to_pil(batch[1:])
    assert to_pil(batch, -1) == to_pil(batch[1:])
    assert to_pil(batch.requires_grad_()).size == (32, 24)
    with pytest.raises(PictureError, match="no picture 2 in a batch of 2"):
        to_pil(batch, 2)


@pytest.mark.parametrize("suffix", ["png", "PNG", "jpg", "jpeg", "webp", "tif", "tiff"])
def test_saved_pictures_and_their_words_come_back(tmp_path, suffix):
    info = {"content": "café.jpg", "note": 'quotes " and\nlines 日本'}
    picture = resize(noise(4, 4), 64)
    path = save_picture(picture, tmp_path / f"a.{suffix}", info)
    assert path == tmp_path / f"a.{suffix}"
    assert read_info(path) == info
    tolerance = 0.51 / 255 if suffix.lower() in ("png", "tif", "tiff") else 0.15
    assert (open_picture(path) - picture).abs().max() < tolerance
    assert [file.name for file in tmp_path.iterdir()] == [f"a.{suffix}"]
    with Image.open(path) as image:
        expected = {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper())
        assert image.format == expected


def test_png_keeps_the_words_in_an_international_text_chunk(tmp_path):
    path = save_picture(noise(), tmp_path / "a.png", {"a": "1"})
    assert b"iTXtnstlab\x00" in path.read_bytes()
    with Image.open(path) as image:
        assert json.loads(image.info["nstlab"]) == {"nstlab": {"a": "1"}}


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_no_words_where_none_were_given(tmp_path, suffix):
    assert read_info(save_picture(noise(), tmp_path / f"a.{suffix}")) == {}


def test_words_of_other_programs_are_not_ours(tmp_path):
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Software", "another")
    chunks.add_text("nstlab", "[1, 2]")
    Image.fromarray(MARKED).save(tmp_path / "a.png", pnginfo=chunks)
    assert read_info(tmp_path / "a.png") == {}
    Image.fromarray(MARKED).save(tmp_path / "b.jpg", comment=b'{"nstlab": 3}')
    assert read_info(tmp_path / "b.jpg") == {}


def test_read_info_of_no_picture(tmp_path):
    with pytest.raises(PictureError, match="there is no file"):
        read_info(tmp_path / "a.png")


def test_long_words_fit_only_into_png(tmp_path):
    info = {"losses": "1.0 " * 50_000}
    assert read_info(save_picture(noise(), tmp_path / "a.png", info)) == info
    for suffix in ("jpg", "webp", "tif"):
        with pytest.raises(PictureError, match="bytes of info do not fit"):
            save_picture(noise(), tmp_path / f"a.{suffix}", info)


def test_save_replaces_and_picks_from_the_batch(tmp_path):
    batch = torch.cat([torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)])
    save_picture(batch, tmp_path / "a.png")
    save_picture(batch, tmp_path / "a.png", index=1)
    assert torch.equal(open_picture(tmp_path / "a.png"), batch[1:])


@pytest.mark.skipif(os.name == "nt", reason="links and permissions work in another way")
def test_a_link_stays_a_link_and_permissions_are_the_usual_ones(tmp_path):
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    save_picture(noise(), tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    (tmp_path / "usual").touch()
    assert (tmp_path / "real.png").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = save_picture(noise(seed=0), tmp_path / "a.png")
    before = path.read_bytes()

    def full(part, data):
        part.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(PictureError, match="No space left on device; choose another place"):
        save_picture(noise(seed=1), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_check_writable(tmp_path, monkeypatch):
    check_writable(tmp_path / "new.png")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "old.png").touch()
    check_writable(tmp_path / "old.png", overwrite=True)
    with pytest.raises(PictureExistsError, match=r"old\.png' exists already"):
        check_writable(tmp_path / "old.png")
    with pytest.raises(FileExistsError):
        check_writable(tmp_path / "old.png")
    with pytest.raises(PictureError, match=r"must end in one of \.png, \.jpg"):
        check_writable(tmp_path / "new.bmp")
    with pytest.raises(PictureError, match="must end in one of"):
        check_writable(tmp_path / "new")
    check_writable(tmp_path / "new.gif", suffixes=[".gif"])
    with pytest.raises(PictureError, match="there is no folder"):
        check_writable(tmp_path / "none" / "new.png")
    with pytest.raises(PictureError, match="there is no folder"):
        check_writable(tmp_path / "old.png" / "new.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(PictureError, match="it is a folder"):
        check_writable(tmp_path / "folder.png", overwrite=True)

    def refuse(path, exist_ok):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(PictureError, match="Permission denied; choose another place"):
        check_writable(tmp_path / "new.png")


def test_jpeg_keeps_fine_colours(tmp_path):
    stripes = torch.zeros(1, 3, 32, 32)
    stripes[:, 0, :, ::2] = stripes[:, 2, :, 1::2] = 1  # red and blue, one pixel wide
    path = save_picture(stripes, tmp_path / "a.jpg")
    assert (open_picture(path) - stripes).abs().max() < 0.1


@pytest.mark.parametrize(("format", "start"), [("jpeg", b"\xff\xd8"), ("PNG", b"\x89PNG")])
def test_encode_gives_the_bytes_of_a_file(format, start):
    data = encode(noise(), format)
    assert data.startswith(start)
    assert (open_picture(data) - noise()).abs().mean() < 0.2


def test_encode_quality_and_unknown_format():
    assert len(encode(noise(), quality=10)) < len(encode(noise(), quality=95))
    with pytest.raises(PictureError, match="unknown format 'gif'; it can be png, jpg"):
        encode(noise(), "gif")
    with pytest.raises(PictureError, match=r"cannot write 70000 × 1 pixels as JPEG.*use PNG"):
        encode(torch.zeros(1, 3, 1, 70_000))


def test_every_format_is_there_in_this_pillow():
    assert features.check("webp") and features.check("libtiff") and features.check("littlecms2")
    assert set(writing.SUFFIXES) == {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"}


def test_users_warning_filters_come_back():
    before = list(warnings.filters)
    open_picture(file_bytes(Image.fromarray(MARKED)))
    assert warnings.filters == before
