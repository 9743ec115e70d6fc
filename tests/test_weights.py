"""Weight files: reading, refusing, fetching from a server on this machine, and cleaning up."""

import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import nstlab.weights
from nstlab import weights
from nstlab.encoders import encoder_names, load_encoder
from nstlab.fitting import random_weights
from nstlab.layers import layer_index
from nstlab.weights import (
    WeightsError,
    file_sha256,
    read_weights,
    torchvision_weights,
    weights_address,
    weights_origin,
)


class Server:
    """Answers every request in the way `manner` says, and counts them."""

    def __init__(self) -> None:
        self.body, self.manner, self.requests = b"", "good", 0
        self.done = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                outer.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        if self.manner == "silent":
            self.done.wait(10)
        elif self.manner == "missing":
            handler.send_error(404)
        elif self.manner != "hangs up":
            body = b"<html>please log in</html>" if self.manner == "wrong" else self.body
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[: len(body) // 2] if self.manner == "truncated" else body)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.done.set()
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def torchvision_like(network: str = "alexnet") -> dict[str, Tensor]:
    """Small random convolutions under torchvision's keys, and a classifier."""
    state = {}
    for key, tensor in random_weights(network, seed=0, widths=(2, 3, 4, 5, 6)).items():
        name, part = key.split(".")
        state[f"features.{layer_index(network, name)}.{part}"] = tensor
    return {**state, "classifier.1.weight": torch.ones(300, 7)}


@pytest.fixture
def published(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file as torchvision publishes them, served under a name with its checksum."""
    path = tmp_path / "full.pth"
    torch.save(torchvision_like(), path)
    server.body = path.read_bytes()
    name = f"alexnet-owt-{file_sha256(path)[:8]}.pth"
    monkeypatch.setattr(weights, "weights_address", lambda arch: f"{server.address}/{name}")
    return path.rename(tmp_path / name)


def cache(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "weights").glob("*"))


def in_torch_home(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder / name


def test_the_module_wins_over_the_folder_of_the_same_name():
    assert Path(str(nstlab.weights.__file__)).name == "weights.py"
    assert nstlab.weights is weights


def test_sha256_of_known_bytes(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert file_sha256(path) == ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy", "nested"])
def test_every_kind_of_file_gives_the_same_tensors(tmp_path, kind):
    state = {"features.0.weight": torch.rand(2, 3, 3, 3), "features.0.bias": torch.rand(2).half()}
    if kind == "safetensors":
        save_file(state, path := tmp_path / "file.safetensors")
    else:
        content = {"state_dict": state, "epoch": 3} if kind == "nested" else state
        path = tmp_path / ("file.pt" if kind == "nested" else "file.pth")
        torch.save(content, path, _use_new_zipfile_serialization=kind != "legacy")
    found = read_weights(str(path))
    assert set(found) == set(state)
    assert all(torch.equal(found[key], state[key]) for key in state)
    assert found["features.0.bias"].dtype == torch.float16


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, zipped):
    path = tmp_path / "trap.pth"
    torch.save({"w": Trap(tmp_path / "run")}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"refused trap.pth.*run code.*\.safetensors"):
        read_weights(path)
    assert not (tmp_path / "run").exists()


def test_a_whole_pickled_module_is_refused(tmp_path):
    torch.save(nn.Conv2d(1, 1, 1), tmp_path / "module.pt")
    with pytest.raises(WeightsError, match=r"refused module.pt"):
        read_weights(tmp_path / "module.pt")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("damage", ["half", "empty", "noise", "text"])
def test_a_damaged_file_gives_one_clear_error(tmp_path, suffix, damage):
    path = tmp_path / f"file{suffix}"
    state = {"w": torch.rand(100, 100)}
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    whole = path.read_bytes()
    noise = torch.randint(256, (500,), dtype=torch.uint8).numpy().tobytes()
    bodies = {"half": whole[: len(whole) // 2], "empty": b"", "noise": noise, "text": b"<html>"}
    path.write_bytes(bodies[damage])
    with pytest.raises(WeightsError, match=rf"file{suffix}.*(fetch it again|damaged)"):
        read_weights(path)


def test_noise_is_no_weight_file_whatever_it_makes_the_reader_raise(tmp_path):
    path = tmp_path / "file.pth"
    for seed in range(300):
        random = torch.Generator().manual_seed(seed)
        noise = torch.randint(256, (500,), dtype=torch.uint8, generator=random)
        path.write_bytes(noise.numpy().tobytes())
        with pytest.raises(WeightsError, match=r"file\.pth.*damaged"):
            read_weights(path)


def test_files_that_hold_something_else(tmp_path):
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match=r"list.pth holds a list, not a state dict"):
        read_weights(tmp_path / "list.pth")
    torch.save({"w": torch.ones(1), "lr": 0.1}, tmp_path / "mixed.pth")
    with pytest.raises(WeightsError, match=r"mixed.pth holds a float under 'lr'"):
        read_weights(tmp_path / "mixed.pth")
    (tmp_path / "net.onnx").touch()
    with pytest.raises(WeightsError, match=r"cannot read net.onnx: weight files end in .safeten"):
        read_weights(tmp_path / "net.onnx")
    with pytest.raises(WeightsError, match=r"no weight file '.*absent.pth'"):
        read_weights(tmp_path / "absent.pth")


def test_addresses_carry_the_checksum_of_their_file():
    for arch in encoder_names()[1:]:
        address = weights_address(arch)
        assert address.startswith("https://")
        stem = address.rsplit("/", 1)[-1].removesuffix(".pth")
        name, checksum = stem.rsplit("-", 1)
        assert name.startswith(arch)
        assert len(checksum) == 8 and int(checksum, 16) > 0


def test_a_good_download_keeps_the_convolutions_alone(server, published, tmp_path):
    path = torchvision_weights("alexnet")
    assert cache(tmp_path) == [path]
    assert path.name == published.name.replace(".pth", ".features.safetensors")
    kept, full = read_weights(path), torchvision_like()
    assert set(kept) == {key for key in full if key.startswith("features.")}
    assert all(torch.equal(kept[key], full[key]) for key in kept)
    assert weights_origin(path) == (published.name, file_sha256(published))
    assert torchvision_weights("alexnet") == path
    assert server.requests == 1  # the second time from the cache


def test_the_same_copy_to_the_byte_each_time(published, tmp_path):
    first = torchvision_weights("alexnet")
    before = first.read_bytes()
    first.unlink()
    assert torchvision_weights("alexnet").read_bytes() == before


def test_any_other_files_origin_is_its_own(tmp_path):
    for name in ("mine.safetensors", "mine.features.safetensors"):
        save_file({"w": torch.ones(1)}, tmp_path / name)
        assert weights_origin(tmp_path / name) == (name, file_sha256(tmp_path / name))


def test_a_copy_elsewhere_cannot_claim_where_it_is_from(published, tmp_path):
    copy = torchvision_weights("alexnet")
    moved = tmp_path / copy.name
    moved.write_bytes(copy.read_bytes())
    assert weights_origin(copy) == (published.name, file_sha256(published))
    assert weights_origin(moved) == (copy.name, file_sha256(copy))


def test_a_copy_whose_numbers_were_changed_is_made_again(server, published):
    copy = torchvision_weights("alexnet")
    whole = copy.read_bytes()
    changed = whole[:-1] + bytes([whole[-1] ^ 1])  # still a safetensors file
    copy.write_bytes(changed)
    assert read_weights(copy)
    assert weights_origin(copy) == (copy.name, hashlib.sha256(changed).hexdigest())
    assert torchvision_weights("alexnet").read_bytes() == whole
    assert server.requests == 2


def test_a_copy_under_other_names_of_its_tensors_is_made_again(server, published):
    copy = torchvision_weights("alexnet")
    whole = copy.read_bytes()
    with safe_open(copy, "pt") as file:
        said = file.metadata()
    renamed = {
        key.replace("features.0.", "features.1."): t for key, t in read_weights(copy).items()
    }
    save_file(renamed, copy, said)
    assert torchvision_weights("alexnet").read_bytes() == whole


@pytest.mark.parametrize("said", [None, {"nstlab": "[]"}, {"nstlab": "{}"}, {"nstlab": "no json"}])
def test_a_file_put_into_the_cache_is_not_believed(server, published, tmp_path, said):
    copy = torchvision_weights("alexnet")
    whole = copy.read_bytes()
    save_file(read_weights(copy), copy, said)
    assert weights_origin(copy) == (copy.name, file_sha256(copy))
    assert torchvision_weights("alexnet").read_bytes() == whole


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        ("truncated", r"the download ended after \d+ of \d+ bytes"),
        ("wrong", r"the file's SHA-256 is [0-9a-f]{8}\.\.\., not as in its name"),
        ("missing", "HTTP Error 404: Not Found"),
        ("hangs up", "closed connection without response"),
        ("silent", "timed out"),
        ("gone", "Connection refused"),
    ],
)
def test_a_failed_download_leaves_nothing(server, published, tmp_path, monkeypatch, manner, reason):
    server.manner = manner
    monkeypatch.setattr(weights, "TIMEOUT", 0.3)
    if manner == "gone":
        server.http.shutdown()
        server.http.server_close()
    with pytest.raises(WeightsError, match=reason) as caught:
        torchvision_weights("alexnet")
    assert cache(tmp_path) == []
    for way_out in ("'lite'", "weights=PATH", "TORCH_HOME", published.name):
        assert way_out in str(caught.value)
    assert "\n" not in str(caught.value)
    if manner != "gone":
        server.manner = "good"
        assert torchvision_weights("alexnet").is_file()


def test_an_interrupted_download_leaves_nothing(published, tmp_path, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "_keep_convolutions", interrupt)
    with pytest.raises(KeyboardInterrupt):
        torchvision_weights("alexnet")
    assert cache(tmp_path) == []


def test_a_published_file_without_convolutions_is_refused(server, tmp_path, monkeypatch):
    torch.save({"head.weight": torch.ones(3)}, tmp_path / "full.pth")
    server.body = (tmp_path / "full.pth").read_bytes()
    name = f"alexnet-{hashlib.sha256(server.body).hexdigest()[:8]}.pth"
    monkeypatch.setattr(weights, "weights_address", lambda arch: f"{server.address}/{name}")
    with pytest.raises(WeightsError, match=r"holds no 'features.\*' tensors"):
        torchvision_weights("alexnet")
    assert cache(tmp_path) == []


@pytest.mark.parametrize("damage", ["half", "empty", "text"])
def test_a_damaged_copy_is_fetched_again(server, published, tmp_path, damage):
    path = torchvision_weights("alexnet")
    whole = path.read_bytes()
    path.write_bytes({"half": whole[: len(whole) // 2], "empty": b"", "text": b"<html>"}[damage])
    server.manner = "missing"
    with pytest.raises(WeightsError, match="without network use the bundled encoder 'lite'"):
        torchvision_weights("alexnet")
    server.manner = "good"
    assert torchvision_weights("alexnet").read_bytes() == whole


def test_a_file_in_torch_home_is_used_and_left_there(server, published, tmp_path):
    there = in_torch_home(tmp_path, published.name)
    there.write_bytes(published.read_bytes())
    path = torchvision_weights("alexnet")
    assert server.requests == 0
    assert there.is_file()
    assert weights_origin(path) == (published.name, file_sha256(published))


def test_a_damaged_file_in_torch_home_is_not_used(server, published, tmp_path):
    there = in_torch_home(tmp_path, published.name)
    there.write_bytes(published.read_bytes()[:-1])
    path = torchvision_weights("alexnet")
    assert server.requests == 1
    assert weights_origin(path)[1] == file_sha256(published)
    assert there.is_file()


def test_a_cache_that_cannot_be_made_is_named(published, tmp_path):
    (tmp_path / "cache").write_text("a file in the way")
    with pytest.raises(WeightsError, match=r"no weights for 'alexnet'.*cache"):
        torchvision_weights("alexnet")


@pytest.mark.parametrize("wanted", [True, False])
def test_a_progress_bar_only_where_wanted(published, monkeypatch, capsys, wanted):
    if not wanted:
        monkeypatch.setenv("NSTLAB_NO_PROGRESS", "1")
    torchvision_weights("alexnet")
    out, err = capsys.readouterr()
    assert out == ""
    assert (published.name in err) is wanted
    assert wanted or err == ""


def test_an_encoder_from_the_server(server, tmp_path, monkeypatch):
    state = {}
    for key, tensor in random_weights("alexnet", seed=5).items():
        name, part = key.split(".")
        state[f"features.{layer_index('alexnet', name)}.{part}"] = tensor
    torch.save(state, tmp_path / "full.pth")
    server.body = (tmp_path / "full.pth").read_bytes()
    sha256 = hashlib.sha256(server.body).hexdigest()
    name = f"alexnet-owt-{sha256[:8]}.pth"
    monkeypatch.setattr(weights, "weights_address", lambda arch: f"{server.address}/{name}")
    encoder = load_encoder("alexnet")
    assert (encoder.weights_name, encoder.weights_sha256) == (name, sha256)
    image = torch.rand(1, 3, 70, 70)
    random = load_encoder("alexnet", weights="random", seed=5)
    layer = "relu5"
    assert torch.equal(encoder(image, [layer])[layer], random(image, [layer])[layer])


def test_the_bundled_file_says_what_it_is():
    path = Path(str(nstlab.weights.__file__)).parent / "weights" / "lite.safetensors"
    with safe_open(path, "pt") as file:
        assert "0.485,0.456,0.406" in file.metadata()["preprocess"]
    assert path.with_suffix(".md").is_file()
    assert path.stat().st_size < 10e6
