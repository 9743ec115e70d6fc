import hashlib
import re
import socket
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch
from PIL import Image

from nstlab.images import PictureError, encode, from_pil, open_picture, save_picture, to_pil
from nstlab.runtime import data_folder
from nstlab.samples import Sample, catalogue, downloads, fetch, identify, load_picture, table

KINDS = ("swirls", "woodblock", "pointillist", "stained_glass", "night_street", "ink_hatching")
STYLES = [f"{kind}_{number}" for kind in KINDS for number in (1, 2)]
PHOTOGRAPHS = ["astronaut", "coffee", "chelsea", "rocket", "hubble", "china", "flower"]
PAINTINGS = [
    "cafe_terrace",
    "night_cafe",
    "starry_night",
    "starry_night_rhone",
    "van_gogh_self_portrait",
    "great_wave",
    "the_scream",
]


def noise(height=320, width=400):
    small = torch.rand(1, 3, height // 8, width // 8, generator=torch.Generator().manual_seed(0))
    return small.repeat_interleave(8, 2).repeat_interleave(8, 3)


class Server(ThreadingHTTPServer):
    """Answers on 127.0.0.1 with what a test put into `pages`: path to (status, bytes, claimed)."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages = {}
        self.asked = []
        self.agents = []

    def address(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        assert isinstance(server, Server)
        server.asked.append(self.path)
        server.agents.append(self.headers["User-Agent"])
        status, content, claimed = server.pages.get(urlsplit(self.path).path, (404, b"none", None))
        self.send_response(status)
        if claimed != "no length":
            self.send_header("Content-Length", str(claimed or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NSTLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


def kept(cache):
    return [file for file in cache.rglob("*") if file.is_file()]


def move_painting(monkeypatch, address):
    moved = replace(catalogue()["starry_night"], source=address)
    monkeypatch.setitem(table._SAMPLES, "starry_night", moved)


# The catalogue


def test_the_catalogue_holds_what_it_promises():
    names = {kind: [] for kind in ("photograph", "style", "painting")}
    for name, sample in catalogue().items():
        assert name == sample.name
        assert re.fullmatch(r"[a-z0-9_]+", name)
        assert sample.title and sample.author and sample.licence and sample.source
        names[sample.kind].append(name)
    assert names == {"photograph": PHOTOGRAPHS, "style": STYLES, "painting": PAINTINGS}


def test_the_catalogue_cannot_be_spoilt():
    catalogue().clear()
    assert "astronaut" in catalogue()
    with pytest.raises(FrozenInstanceError):
        catalogue()["astronaut"].title = "another"  # pyright: ignore[reportAttributeAccessIssue]


def test_only_addresses_that_nobody_tried_are_marked():
    for sample in catalogue().values():
        assert sample.tried == (sample.kind != "painting")
        assert sample.source.startswith("https://") == (sample.kind == "painting")


def test_addresses_are_complete_and_quoted():
    for name in PAINTINGS:
        parts = urlsplit(catalogue()[name].source)
        assert parts.hostname == "commons.wikimedia.org"
        assert re.fullmatch(r"/wiki/Special:FilePath/[\w%.-]+\.jpg", parts.path)
        assert parts.query == "width=1280"


@pytest.mark.parametrize("name", PHOTOGRAPHS + STYLES)
def test_bundled_pictures_open(name):
    picture = load_picture(name)
    assert min(picture.shape[-2:]) >= 300
    assert picture.flatten(2).std(2).min() > 0.02


@pytest.mark.parametrize("name", STYLES)
def test_bundled_styles_are_of_a_good_size(name):
    file = fetch(name)
    assert file.stat().st_size <= 400_000
    height, width = load_picture(name).shape[-2:]
    assert min(height, width) >= 512 and max(height, width) <= 1024


def test_every_bundled_file_is_in_the_table_of_licences():
    text = (data_folder() / "LICENCES.md").read_text(encoding="utf-8")
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) > 4:
            rows[cells[0]] = cells
    for sample in catalogue().values():
        here = sample.source.startswith(("photographs/", "styles/"))
        row = rows[sample.source if here else sample.name]
        title, author, year, licence = row[1:5]
        assert (title, author) == (sample.title, sample.author)
        assert year == (sample.year or "not stated")
        assert sample.licence in licence
    for folder in ("photographs", "styles"):
        for file in (data_folder() / folder).glob("[!.]*"):
            assert f"{folder}/{file.stem}.jpg" in rows


def test_a_style_may_be_a_png(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "data_folder", lambda: tmp_path)
    (tmp_path / "styles").mkdir()
    file = save_picture(noise(), tmp_path / "styles" / "swirls_1.png")
    assert fetch("swirls_1") == file


def test_a_missing_bundled_file_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "data_folder", lambda: tmp_path)
    with pytest.raises(PictureError, match=r"picture 'china' \(photographs/china\.jpg\) is not"):
        load_picture("china")
    monkeypatch.setattr(table, "find_spec", lambda name: None)
    with pytest.raises(PictureError, match="install scikit-image again"):
        load_picture("coffee")


def test_importing_is_light_and_photographs_need_no_scikit_image():
    code = (
        "import sys, nstlab.samples as s; s.load_picture('coffee'); s.fetch('rocket'); "
        "print([m for m in ('skimage', 'pooch', 'requests', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_photographs_are_those_of_scikit_image():
    found = find_spec("skimage")
    assert found is not None and found.submodule_search_locations
    theirs = Path(found.submodule_search_locations[0], "data", "coffee.png")
    assert fetch("coffee").samefile(theirs)
    assert load_picture("coffee").shape == (1, 3, 400, 600)


# Loading


def test_every_kind_of_source_gives_the_same_picture(tmp_path):
    picture = from_pil(to_pil(noise()))
    path = save_picture(picture, tmp_path / "a.png")
    for source in (path, str(path), path.read_bytes(), Image.open(path), picture):
        assert torch.equal(load_picture(source), picture)


def test_size_is_the_longer_side_or_both():
    assert load_picture("coffee", 60).shape == (1, 3, 40, 60)
    assert load_picture("coffee", size=(50, 20)).shape == (1, 3, 50, 20)


def test_tensors_are_checked_and_passed_on():
    picture = noise().double()
    assert load_picture(picture) is picture
    with pytest.raises(PictureError, match=r"values in \[0, 1\], got 0 to 255; .* by 255"):
        load_picture(torch.tensor([0.0, 255]).view(1, 1, 1, 2).expand(1, 3, 1, 2))
    with pytest.raises(PictureError, match="a batch of 2"):
        load_picture(torch.zeros(2, 3, 4, 4))
    with pytest.raises(PictureError, match="unsqueeze"):
        load_picture(torch.zeros(3, 4, 4))
    normalised = (noise() - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / 0.225
    with pytest.raises(PictureError, match="normalisation to the encoder"):
        load_picture(normalised)
    dark = torch.zeros(1, 3, 40, 40)
    dark[0, 0, 0, 0] = 255
    with pytest.raises(PictureError, match="got 0 to 255"):
        load_picture(dark)
    dark[0, 0, 0, 0] = -11
    with pytest.raises(PictureError, match="got -11 to 0"):
        load_picture(dark)
    bright = torch.zeros(1, 3, 40, 40)
    bright.flatten()[: bright.numel() // 50] = 1.9  # two of a hundred
    with pytest.raises(PictureError, match=r"got 0 to 1\.9"):
        load_picture(bright)
    overshoot = torch.full((1, 3, 40, 40), 1.01)
    overshoot[0, 0, 0, :2] = torch.tensor([-0.7, 1.9])  # as a few pixels of a run of few steps
    assert load_picture(overshoot) is overshoot


def test_a_bare_name_is_the_catalogue_and_anything_else_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_picture(torch.zeros(1, 3, 2, 2), "astronaut.png")
    Path("astronaut.png").rename("astronaut")
    save_picture(torch.zeros(1, 3, 2, 2), "chelsea.png")
    save_picture(torch.zeros(1, 3, 2, 2), "mine.png")
    Path("mine.png").rename("mine")
    assert load_picture("astronaut").shape[-1] == 512
    for mine in ("./astronaut", Path("astronaut"), "chelsea.png", "mine"):
        assert load_picture(mine).shape[-1] == 2


def test_unknown_names_get_the_nearest_one():
    message = r"no picture is named 'starry_nigth' \(did you mean 'starry_night'\?\), nor is there"
    with pytest.raises(PictureError, match=message):
        load_picture("starry_nigth")
    with pytest.raises(PictureError, match="did you mean 'starry_night_rhone'"):
        load_picture("Starry Night Rhône")
    with pytest.raises(PictureError, match=r"file; names: astronaut, .*the_scream$") as caught:
        load_picture("zzz")
    assert "did you mean" not in str(caught.value)
    with pytest.raises(PictureError, match=r"no file 'swirls_1\.jpg' \(did you mean 'swirls_1'"):
        load_picture("swirls_1.jpg")
    with pytest.raises(PictureError, match=r"there is no file 'photos/zzz'; look at its spelling"):
        load_picture("photos/zzz")
    with pytest.raises(PictureError, match="there is no file"):
        load_picture(Path("astronaut"))
    for nothing in ("", "a" * 5000, "a\0b.png"):
        with pytest.raises(PictureError):
            load_picture(nothing)
    with pytest.raises(PictureError, match="no picture is named 'astronot'"):
        fetch("astronot")


# Paintings and addresses: a server of our own stands in for the real ones


def test_a_painting_is_fetched_once_and_kept(server, cache, monkeypatch):
    data = encode(noise())
    server.pages["/night.jpg"] = (200, data, None)
    move_painting(monkeypatch, server.address("/night.jpg?width=1280"))
    assert torch.equal(load_picture("starry_night"), open_picture(data))
    assert torch.equal(load_picture("starry_night"), open_picture(data))
    assert server.asked == ["/night.jpg?width=1280"]
    assert server.agents[0].startswith("nstlab/")
    assert kept(cache) == [cache / "pictures" / "starry_night.jpg"]
    assert fetch("starry_night").read_bytes() == data


def test_a_painting_put_there_by_hand_needs_no_network(cache, monkeypatch):
    move_painting(monkeypatch, "http://127.0.0.1:9/unused")
    (cache / "pictures").mkdir(parents=True)
    path = save_picture(from_pil(to_pil(noise())), cache / "pictures" / "starry_night.png")
    assert fetch("starry_night") == path
    assert torch.equal(load_picture("starry_night"), open_picture(path))


def test_no_network_gives_one_sentence_with_the_ways_out(cache, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    move_painting(monkeypatch, f"http://127.0.0.1:{port}/night.jpg")
    with pytest.raises(PictureError) as caught:
        fetch("starry_night")
    message = str(caught.value)
    assert message.startswith("'The Starry Night' could not be downloaded from 127.0.0.1 (Conn")
    for way_out in ("'swirls_1'", "file of your own", "starry_night.jpg' by hand", "NSTLAB_CACHE"):
        assert way_out in message
    assert "\n" not in message
    assert kept(cache) == []


BAD = {
    "truncated": ((200, encode(noise())[:-500], None), "cannot be used: .* is damaged"),
    "cut off": ((200, encode(noise())[:-500], len(encode(noise()))), "could not be downloaded"),
    "without length": ((200, encode(noise())[:-500], "no length"), "is damaged"),
    "a page": ((200, b"<html><body>Log in first</body></html>", None), "is not a picture"),
    "nothing": ((200, b"", None), "is empty"),
    "too small": ((200, encode(noise(296, 400)), None), "it has 400 × 296 pixels, fewer than 300"),
    "missing": ((404, b"", None), "the server answered 404"),
    "in trouble": ((503, encode(noise()), None), "the server answered 503"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_download_is_told_and_not_kept(server, cache, monkeypatch, case):
    page, message = BAD[case]
    server.pages["/night.jpg"] = page
    move_painting(monkeypatch, server.address("/night.jpg"))
    with pytest.raises(PictureError, match=message) as caught:
        fetch("starry_night")
    assert "use a bundled style" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is not None
    assert kept(cache) == []
    server.pages["/night.jpg"] = (200, encode(noise()), None)
    assert fetch("starry_night").is_file()  # the next try can succeed


def test_an_unwritable_cache_is_told(server, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NSTLAB_CACHE", str(tmp_path / "file"))
    server.pages["/night.jpg"] = (200, encode(noise()), None)
    move_painting(monkeypatch, server.address("/night.jpg"))
    with pytest.raises(PictureError, match="let NSTLAB_CACHE name one"):
        fetch("starry_night")


def test_addresses_are_pictures_too(server, cache):
    data = encode(noise(), "png")
    server.pages["/a/my picture.png"] = server.pages["/a/my%20picture.png"] = (200, data, None)
    address = server.address("/a/my%20picture.png?key=secret")
    for _ in range(2):
        assert torch.equal(load_picture(address), open_picture(data))
    assert server.asked == ["/a/my%20picture.png?key=secret"]
    found = identify(address)
    assert (found.name, found.sha256) == ("my picture.png", hashlib.sha256(data).hexdigest())
    assert "secret" not in "".join(map(str, kept(cache)))


def test_addresses_with_the_same_file_name_do_not_mix(server):
    server.pages["/a/x.png"] = (200, encode(torch.zeros(1, 3, 300, 300), "png"), None)
    server.pages["/b/x.png"] = (200, encode(torch.ones(1, 3, 300, 300), "png"), None)
    assert load_picture(server.address("/a/x.png")).max() == 0
    assert load_picture(server.address("/b/x.png")).min() == 1


def test_an_address_may_lead_to_a_small_picture(server):
    server.pages["/icon.png"] = (200, encode(noise(24, 32), "png"), None)
    assert load_picture(server.address("/icon.png")).shape == (1, 3, 24, 32)


def test_bad_addresses(server, cache, monkeypatch):
    with pytest.raises(PictureError, match=r"answered 404.*save it from a browser"):
        load_picture(server.address("/none.png"))
    with pytest.raises(PictureError, match=r"cannot read a file:// address; .* https://"):
        load_picture("file:///a.png")
    with pytest.raises(PictureError, match="is not an address"):
        load_picture("http://[::1/a.png")
    with pytest.raises(PictureError, match="could not be downloaded"):
        load_picture("http://")
    server.pages["/large.png"] = (200, bytes(5000), None)
    monkeypatch.setattr(downloads, "LARGEST_DOWNLOAD", 4000)
    with pytest.raises(PictureError, match="it is larger than"):
        load_picture(server.address("/large.png"))
    assert kept(cache) == []


# Fingerprints


def test_fingerprints_are_of_the_file_and_hold_no_folder(tmp_path):
    path = save_picture(noise(), tmp_path / "a.png")
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    for source in (path, str(path)):
        assert identify(source).name == "a.png"
        assert identify(source).sha256 == expected
    assert identify(path.read_bytes()).sha256 == expected
    assert identify("coffee").name == "coffee"
    assert identify("coffee").sha256 == hashlib.sha256(fetch("coffee").read_bytes()).hexdigest()
    with pytest.raises(PictureError, match="cannot read"):
        identify(tmp_path)
    with pytest.raises(PictureError, match="there is no file"):
        identify(str(tmp_path / "b.png"))


def test_fingerprints_of_pixels():
    picture = from_pil(to_pil(noise()))
    same = [to_pil(picture), picture, picture.double()]
    same.append(picture.to(memory_format=torch.channels_last))
    assert len({identify(source) for source in same}) == 1
    assert identify(picture).name == "in memory"
    other = picture.clone()
    other[0, 0, 0, 0] += 1e-4
    turned = torch.zeros(1, 3, 2, 8), torch.zeros(1, 3, 8, 2)
    assert identify(other) != identify(picture)
    assert identify(turned[0]) != identify(turned[1])
    with pytest.raises(PictureError, match="a batch of 2"):
        identify(torch.zeros(2, 3, 4, 4))


def test_a_pil_image_is_known_by_what_it_shows():
    file = BytesIO()
    to_pil(noise()).save(file, "PNG")
    file.seek(0)
    assert identify(Image.open(file)) == identify(to_pil(noise()))


def test_samples_are_plain_values():
    sample = catalogue()["great_wave"]
    assert sample == Sample(**vars(sample))
    assert (sample.author, sample.kind, sample.tried) == ("Katsushika Hokusai", "painting", False)
