"""Find, download, check and load weight files; never by running code that is inside them."""

import hashlib
import json
import os
import pickle
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from uuid import uuid4

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from nstlab.layers import WeightsError as WeightsError
from nstlab.runtime import cache_folder, progress_wanted

FILE_TYPES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin")
TIMEOUT = 30.0  # seconds without a byte before a download is given up
CHUNK = 1 << 20  # bytes
ORIGIN = "nstlab"  # under which a copy says what it was cut from


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes.

    Args:
        path: an existing file.

    Returns:
        64 hexadecimal digits.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a weight file by their keys, on the CPU, in the file's own precision.

    Args:
        path: a `.safetensors` file, or a `.pth`, `.pt`, `.ckpt` or `.bin` file that holds a state
            dict or `{"state_dict": ...}`. The latter are read with `weights_only=True`: a file that
            would run code is refused.

    Returns:
        Key to tensor.

    Raises:
        WeightsError: no such file, another kind of file, a damaged one, or one that holds code.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"no weight file {str(path)!r}; give the path of a file that exists")
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"cannot read {path.name}: {error}; fetch it again") from error
    if path.suffix not in FILE_TYPES:
        raise WeightsError(f"cannot read {path.name}: weight files end in {', '.join(FILE_TYPES)}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"refused {path.name}: it is damaged, or it holds Python objects and not only tensors, "
            "so that loading it could run code; where you trust it, save its state dict as a "
            ".safetensors file and use that"
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # what bytes that are no weights make a reader raise varies
        raise WeightsError(f"cannot read {path.name}: it is damaged; fetch it again") from error
    return _state_dict(content, path.name)


def _state_dict(content: Any, name: str) -> dict[str, Tensor]:  # noqa: ANN401
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content:
        raise WeightsError(f"{name} holds a {type(content).__name__}, not a state dict of tensors")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise WeightsError(
                f"{name} holds a {type(value).__name__} under {key!r}, which is no tensor"
            )
    return dict(content)


def torchvision_weights(arch: str) -> Path:
    """The file with the convolutions of one of torchvision's networks, fetched where needed.

    Looked for in this order: the copy kept in the cache; the full file in torch.hub's folder
    (`TORCH_HOME`); torchvision's server. The full file must have the checksum that is part of its
    name. Of it only the convolutions (`features.*`) are kept, as safetensors: for VGG-19 80 MB in
    place of 548. The copy carries a checksum of its tensors; a copy that does not agree with it is
    made again. A file in torch.hub's folder is left as it is.

    Args:
        arch: torchvision's name of the network, for example `vgg19`.

    Returns:
        A `.features.safetensors` file in `cache_folder()/weights`.

    Raises:
        WeightsError: no network, a wrong or cut file, or a folder that cannot be written; the
            message names the other ways to get weights.
    """
    address = weights_address(arch)
    copy, kept = _places(address)
    folder, name = copy.parent, kept.name
    if _origin(copy):
        return copy
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if kept.is_file() and file_sha256(kept).startswith(_checksum(name)):
            _keep_convolutions(kept, copy, address)
            return copy
        with new_file(folder, ".pth") as full:
            _download(address, full)
            _keep_convolutions(full, copy, address)
    except (OSError, HTTPException, SafetensorError, WeightsError) as error:
        if isinstance(error, HTTPError):
            error.close()  # it is an open reply
        raise WeightsError(
            f"no weights for {arch!r}: {address} gave no usable file ({error}); without network "
            f"use the bundled encoder 'lite', a file of your own (weights=PATH), or put {name} "
            f"into {kept.parent} (TORCH_HOME moves this folder)"
        ) from error
    return copy


def weights_at_hand(arch: str) -> bool:
    """Whether torchvision's weights for a network lie here, so that nothing need be fetched.

    Args:
        arch: torchvision's name of the network.

    Returns:
        True where `torchvision_weights` would find a file; its content is not looked at.
    """
    return any(place.is_file() for place in _places(weights_address(arch)))


def _places(address: str) -> tuple[Path, Path]:
    """The copy that the cache keeps, and the full file in torch.hub's folder."""
    name = address.rsplit("/", 1)[-1]
    copy = cache_folder() / "weights" / f"{name.removesuffix('.pth')}.features.safetensors"
    return copy, Path(torch.hub.get_dir()) / "checkpoints" / name


def weights_address(arch: str) -> str:
    """The address of torchvision's weights; the file's name ends in the start of its SHA-256.

    Args:
        arch: torchvision's name of the network.

    Returns:
        For example `https://.../vgg19-dcbb9e9d.pth`.
    """
    from torchvision.models import get_model_weights  # slow to import, and seldom needed

    return get_model_weights(arch)["IMAGENET1K_V1"].url


def weights_origin(path: str | Path) -> tuple[str, str]:
    """Name and SHA-256 that identify weights: the file's own, or of the full file it was cut from.

    Only a copy that `torchvision_weights` keeps in the cache is asked what it was cut from, and
    believed only if its tensors have the checksum that it carries. A file elsewhere could claim
    anything.

    Args:
        path: a weight file.

    Returns:
        File name without folders, and 64 hexadecimal digits.
    """
    path = Path(path)
    if path.parent.resolve() == (cache_folder() / "weights").resolve():
        origin = _origin(path)
        if origin:
            return origin["source"].rsplit("/", 1)[-1], origin["sha256"]
    return path.name, file_sha256(path)


def _checksum(name: str) -> str:
    return name.removesuffix(".pth").rsplit("-", 1)[-1]


def _origin(copy: Path) -> dict[str, str]:
    """What a copy was cut from; empty if it does not say so, or is not what was written."""
    try:
        with safe_open(copy, "pt") as file:
            origin = json.loads((file.metadata() or {})[ORIGIN])
        whole = origin["tensors"] == _tensors_sha256(load_file(copy))
        return {key: str(origin[key]) for key in ("source", "sha256")} if whole else {}
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        return {}


def _tensors_sha256(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, types, shapes and numbers, whatever the order of the tensors."""
    digest = hashlib.sha256()
    for key, tensor in sorted(weights.items()):
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


@contextmanager
def new_file(folder: Path, suffix: str) -> Iterator[Path]:
    """A name of its own for a file that the block writes and moves; else it is removed again.

    Args:
        folder: where it lies.
        suffix: its ending.
    """
    path = folder / f"part-{uuid4().hex}{suffix}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _download(address: str, path: Path) -> None:
    from tqdm.auto import tqdm

    digest = hashlib.sha256()
    with urllib.request.urlopen(address, timeout=TIMEOUT) as reply, open(path, "wb") as file:
        size = int(reply.headers.get("Content-Length") or 0)
        name = address.rsplit("/", 1)[-1]
        with tqdm(
            total=size or None, desc=name, unit="B", unit_scale=True, disable=not progress_wanted()
        ) as bar:
            while chunk := reply.read(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
        if file.tell() < size:
            raise WeightsError(f"the download ended after {file.tell()} of {size} bytes")
    if not digest.hexdigest().startswith(_checksum(name)):
        raise WeightsError(f"the file's SHA-256 is {digest.hexdigest()[:8]}..., not as in its name")


def _keep_convolutions(full: Path, copy: Path, address: str) -> None:
    weights = {k: v for k, v in read_weights(full).items() if k.startswith("features.")}
    if not weights:
        raise WeightsError("the file holds no 'features.*' tensors")
    # One entry, since safetensors does not fix the order of several: the same bytes everywhere.
    origin = {"sha256": file_sha256(full), "source": address, "tensors": _tensors_sha256(weights)}
    packed = {key: tensor.contiguous() for key, tensor in weights.items()}
    with new_file(copy.parent, ".safetensors") as part:
        save_file(packed, part, {ORIGIN: json.dumps(origin)})
        os.replace(part, copy)
