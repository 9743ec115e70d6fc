"""Training pictures: random crops, turned, recoloured and disturbed; the same for the same step."""

import math
import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from nstlab.images import SUFFIXES, PictureError, open_picture
from nstlab.runtime import generator

KEPT_IN_MEMORY = 2000  # pictures, each a byte per channel and pixel
Size = tuple[int, int]


def pictures_in(folders: Sequence[str | Path]) -> list[list[Path]]:
    """The pictures in each of some folders, not below them, by name.

    Args:
        folders: where to look.

    Returns:
        For each folder the paths of files that end as pictures do.

    Raises:
        PictureError: a folder that is missing, or one without pictures.
    """
    found = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise PictureError(f"there is no folder {str(folder)!r} with pictures to train on")
        here = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not here:
            raise PictureError(
                f"no picture in {str(folder)!r}; looked for files that end in {', '.join(SUFFIXES)}"
            )
        found.append(here)
    return found


class Crops:
    """Random square crops of pictures.

    The choices for one step come from the seed and the number of the step alone, so that training
    which is interrupted goes on with the crops it would have had.
    """

    def __init__(self, groups: Sequence[Sequence[Path]], *, size: int = 128, seed: int = 0) -> None:
        """Take the pictures; each is read when it is first drawn.

        Args:
            groups: files. A group is drawn from in proportion to the square root of its number of
                files, so that a few paintings do not drown among many photographs.
            size: side of a crop in pixels.
            seed: of all choices.

        Raises:
            PictureError: there are none.
            ValueError: a size below 16.
        """
        if not groups or not all(groups):
            raise PictureError("there is no picture to train on")
        if size < 16:
            raise ValueError(f"size is {size}; crops need at least 16 px")
        self.groups, self.size, self.seed = tuple(map(tuple, groups)), size, seed
        self._shares = [len(group) ** 0.5 for group in self.groups]
        self._read = lru_cache(KEPT_IN_MEMORY)(_read)

    def batch(self, step: int, count: int) -> Float[Tensor, "count 3 size size"]:
        """Crops for one step of the training.

        Args:
            step: number of the step.
            count: how many.

        Returns:
            RGB in [0, 1].
        """
        choose = random.Random(f"{self.seed}/{step}")
        noise = generator(choose.getrandbits(60))
        crops = []
        for _ in range(count):
            (group,) = choose.choices(self.groups, self._shares)
            crops.append(_disturb(self._crop(choose.choice(group), choose), choose, noise))
        return torch.cat(crops).clamp(0, 1)

    def _crop(self, path: Path, choose: random.Random) -> Float[Tensor, "1 3 size size"]:
        picture, size = self._read(path), self.size
        shorter = min(picture.shape[1:])
        # The picture's shorter side, scaled, is 1 to 3 crops long, all ratios alike.
        longest = max(1.1, min(shorter / size, 3.0))
        side = shorter / math.exp(choose.uniform(math.log(1.02), math.log(longest)))
        side = min(shorter, math.ceil(side))
        top = choose.randint(0, picture.shape[1] - side)
        left = choose.randint(0, picture.shape[2] - side)
        crop = picture[None, :, top : top + side, left : left + side].float() / 255
        if side != size:
            crop = F.interpolate(crop, size=(size, size), mode="bilinear", antialias=True)
        for chance, turned in ((0.5, crop.flip(3)), (0.15, crop.flip(2)), (0.15, crop.mT)):
            if choose.random() < chance:
                return turned
        return crop


def _read(path: Path) -> UInt8[Tensor, "3 h w"]:
    return (open_picture(path)[0] * 255).round().byte()


def _disturb(
    crop: Float[Tensor, "1 3 h w"], choose: random.Random, noise: torch.Generator
) -> Float[Tensor, "1 3 h w"]:
    """Recolour half of the crops, add noise to three in ten, replace one in 25 by noise."""
    size = (crop.shape[2], crop.shape[3])
    if choose.random() < 0.04:
        return _noise(size, choose.choice((1, 8)), choose, noise)
    if choose.random() < 0.5:
        crop = _recolour(crop, choose, noise)
    if choose.random() < 0.3:
        grain = _noise(size, choose.choice((1, 2)), choose, noise) - 0.5
        crop = crop + choose.choice((0.05, 0.15, 0.3, 0.6)) * grain
    return crop


def _recolour(
    crop: Float[Tensor, "1 3 h w"], choose: random.Random, noise: torch.Generator
) -> Float[Tensor, "1 3 h w"]:
    kind = choose.random()
    if kind < 0.4:
        crop = crop[:, torch.randperm(3, generator=noise)]
    elif kind < 0.5:
        crop = 1 - crop
    elif kind < 0.6:
        crop = crop.mean(1, keepdim=True).expand(crop.shape)
    if choose.random() < 0.5:
        mix = torch.eye(3) + 0.25 * torch.randn(3, 3, generator=noise)
        crop = torch.einsum("ij,bjhw->bihw", mix / mix.sum(1, keepdim=True).clamp_min(0.3), crop)
    if choose.random() < 0.5:
        contrast, shift = choose.uniform(0.5, 1.8), choose.uniform(-0.2, 0.2)
        crop = (crop - 0.5) * contrast + 0.5 + shift
    return crop


def _noise(
    size: Size, grain: int, choose: random.Random, noise: torch.Generator
) -> Float[Tensor, "1 3 h w"]:
    """Uniform noise in [0, 1] with grains of some pixels, hard or soft."""
    small = (math.ceil(size[0] / grain), math.ceil(size[1] / grain))
    values = torch.rand(1, 3, *small, generator=noise)
    return F.interpolate(values, size=size, mode=choose.choice(("nearest", "bilinear")))
