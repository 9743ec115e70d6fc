"""Which changes of a picture are steep and which are flat, so that L-BFGS need not learn it."""

from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from nstlab.masks import surely
from nstlab.runtime import widest

PreconditionerName = Literal["none", "adaptive"]
PRECONDITIONERS: tuple[str, ...] = get_args(PreconditionerName)
POWER = 0.5  # of the frequency, by which low ones move further than high ones
LOWEST = 0.02  # cycles per pixel, below which all frequencies count alike
FINEST = 0.5  # cycles per pixel, whose weight is the least that any frequency gets
KEPT = 0.9  # of what was seen of a pixel, from one step to the next
LEAST = 1e-3  # of a picture's mean of squares, added to that of each pixel
MOST = 1e30  # by which the mean of squares counts as having grown in a step
STATE = ("moved", "bent", "means", "root", "mean_weight")


class Preconditioner:
    """H₀ = D^½ (a I + Bᵀ F⁻¹ W F B) D^½, up to a factor: a diagonal around a filter.

    The losses are much flatter along the slow changes of a picture than along its fine ones. So
    those move further: B takes half the sum of each block of 2 × 2 pixels, F is the Fourier
    transform, W = max(f, 0.02)^−½ − a with f in cycles per pixel of the picture, and a = ½^−½ is
    what the finest frequencies get. And losses are flatter where a picture is plain than where it
    is full of detail: D is (mean s² / mean y²)^¼ at each pixel and colour, of the changes s of the
    picture and y of the gradient in the last ten steps or so, each relative to its mean over the
    picture. L-BFGS, which starts from this matrix in place of a multiple of the identity, needs a
    half to nine tenths of the steps to most losses.

    Attributes:
        moved: (b, n), running sums of s², each relative to its own mean over the picture, and
            `LEAST`; all times the last one's mean.
        bent: (b, n), running sums of y², likewise.
        means: (b, 2), means of s² and y² over the picture in the last step that was learnt.
        root: (b, n), D^½ times a number for each picture, which is made up for by γ.
        mean_weight: (b,), vᵀH₀v / vᵀDv of the vector v that H₀ was applied to last: the mean of
            the filter over the frequencies in it.

    Reference:
        Mordvintsev, Pezzotti, Schubert, Olah 2018, "Differentiable image parameterizations",
        https://distill.pub/2018/differentiable-parameterizations, for the frequencies (there as
        coordinates, with 1 / f). Nocedal, Wright 2006, "Numerical Optimization", section 7.2, for
        the place of H₀.
    """

    def __init__(self, like: Float[Tensor, "b 3 h w"]) -> None:
        """Begin with D = 1.

        Args:
            like: pictures of the shape, type and device of the run.
        """
        self.shape = like.shape
        blocks = [-(-side // 2) for side in like.shape[2:]]
        down = torch.fft.fftfreq(blocks[0], 2, dtype=torch.float64)[:, None]
        across = torch.fft.rfftfreq(blocks[1], 2, dtype=torch.float64)
        frequency = torch.hypot(down, across).clamp_min(LOWEST)
        self.finest = FINEST**-POWER
        weights = (frequency**-POWER - self.finest) / 4  # two for B, and two for Bᵀ
        self.weights = weights.to(like)
        self.moved = like.new_full((len(like), like[0].numel()), LEAST)
        self.bent, self.root = self.moved.clone(), torch.ones_like(self.moved)
        self.means = torch.ones(len(like), 2, dtype=widest(like.device), device=like.device)
        self.mean_weight = like.new_ones(len(like))

    def see(
        self,
        pair: tuple[Float[Tensor, "b n"], Float[Tensor, "b n"]],
        sizes: Float[Tensor, "b 2"],
        which: Bool[Tensor, " b"],
    ) -> None:
        """Learn D from a step.

        Args:
            pair: s, change of the picture, and y, change of the gradient.
            sizes: |s| and |y|.
            which: pictures whose step is to be learnt; the others may hold anything.
        """
        learnt = which[:, None]
        means = torch.where(learnt, sizes.square() / self.root.shape[1], self.means)
        kept = torch.where(learnt, KEPT * means / self.means, 1.0)
        kept = kept.clamp_max(MOST).to(self.root)
        least = torch.where(learnt, (1 - KEPT) * LEAST * means, 0.0).to(self.root)
        rows = zip((self.moved, self.bent), pair, kept.mT, least.mT, strict=True)
        every = surely(which)
        for squares, vector, factor, floor in rows:
            shown = vector if every else torch.where(learnt, vector, 0.0)
            squares.mul_(factor[:, None]).add_(floor[:, None]).addcmul_(shown, shown)
        self.means = means
        ratio = torch.div(self.bent, self.moved, out=self.root)
        ratio.rsqrt_().rsqrt_().rsqrt_()  # to the power of −1/8, in less time than by sqrt

    def apply_(self, vector: Float[Tensor, "b n"]) -> None:
        """Let v become H₀ v."""
        scaled = vector.mul_(self.root)
        square = self._size(scaled).square()
        height, width = self.shape[2:]
        image = scaled.view(self.shape)
        if height % 2 or width % 2:  # what lies beyond the last row or column counts as zero
            image = F.pad(image, (0, width % 2, 0, height % 2))
        rows = image.unflatten(2, (-1, 2))  # two and two; slices are faster than avg_pool2d
        tall = rows[:, :, :, 0] + rows[:, :, :, 1]
        blocks = tall[..., ::2] + tall[..., 1::2]
        plane = torch.fft.rfft2(blocks, norm="ortho").mul_(self.weights)
        slow = torch.fft.irfft2(plane, s=blocks.shape[2:], norm="ortho")
        least = torch.finfo(square.dtype).tiny  # so that nothing is divided by zero
        product = torch.linalg.vecdot(blocks, slow).sum((1, 2))
        self.mean_weight = self.finest + product / square.clamp_min(least)
        wide = torch.stack([slow, slow], -1).flatten(3)
        weighted = torch.add(wide[:, :, :, None], rows, alpha=self.finest).flatten(2, 3)
        weighted = weighted[..., :height, :width].flatten(1)
        torch.mul(weighted, self.root, out=vector)

    def square(self, vector: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """About vᵀ H₀ v, without another transform: vᵀ D v times `mean_weight`.

        It scales H₀ for a step, where a few per cent more or less are made up for by the next.
        """
        return self._size(vector * self.root).square() * self.mean_weight

    def _size(self, vector: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """Norm of each picture; row by row, so that it takes the same bits in any batch."""
        rows = torch.linalg.vector_norm(vector.view(self.shape), dim=3)
        return torch.linalg.vector_norm(rows, dim=(1, 2))

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on with the same bits; it changes with a step."""
        return {name: getattr(self, name) for name in STATE}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state that `state_dict` gave."""
        for name in STATE:
            setattr(self, name, state[name].to(self.root.device).clone())
