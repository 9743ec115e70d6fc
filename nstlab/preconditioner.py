"""Which changes of a picture are steep and which are flat, so that L-BFGS need not learn it."""

from typing import Any, Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nstlab.masks import surely

PreconditionerName = Literal["none", "adaptive"]
PRECONDITIONERS: tuple[str, ...] = get_args(PreconditionerName)
POWER = 0.5  # of the frequency, by which low ones move further than high ones
FLOOR = 0.02  # cycles per pixel, below which all frequencies count alike
KEPT = 0.9  # of what was seen of a pixel, from one step to the next
STRONGEST = 1e4  # ratio of the two means of squares at a pixel, and its inverse
LEAST = 1e-6  # of a mean of squares, added to both
STATE = ("moved", "bent", "root", "mean_weight")


class Preconditioner:
    """H₀ = D^½ F⁻¹ W F D^½, up to a factor: a diagonal in pixels around one in frequencies.

    The losses are much flatter along the slow changes of a picture than along its fine ones: F is
    the Fourier transform and W = max(f, 0.02)^−½ with f in cycles per pixel. And they are flatter
    where a picture is plain than where it is full of detail: D is (mean s² / mean y²)^¼ at each
    pixel and colour, of the changes s of the picture and y of the gradient in the last ten steps or
    so, each relative to its mean over the picture. L-BFGS, which starts from this matrix in place
    of a multiple of the identity, needs a half to nine tenths of the steps to most losses.

    Attributes:
        moved: (b, n), running sums of s².
        bent: (b, n), running sums of y².
        root: (b, n), D^½.
        mean_weight: (b,), vᵀH₀v / vᵀDv of the vector v that H₀ was applied to last: the mean of W
            over the frequencies in it.

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
        height, width = like.shape[2:]
        down = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
        across = torch.fft.rfftfreq(width, dtype=torch.float64)
        weights = torch.hypot(down, across).clamp(min=FLOOR) ** -POWER
        self.weights = weights.to(like)
        self.moved = like.new_zeros(len(like), like[0].numel())
        self.bent, self.root = self.moved.clone(), torch.ones_like(self.moved)
        self.mean_weight = like.new_ones(len(like))

    def see(
        self,
        pair: tuple[Float[Tensor, "b n"], Float[Tensor, "b n"]],
        sizes: Float[Tensor, "2 b"],
        which: Bool[Tensor, " b"],
    ) -> None:
        """Learn D from a step.

        Args:
            pair: s, change of the picture, and y, change of the gradient.
            sizes: |s| and |y|.
            which: pictures whose step is to be learnt; the others may hold anything.
        """
        kept = torch.where(which, torch.full_like(sizes[0], KEPT), 1.0).to(self.root)[:, None]
        factors = self.root.shape[1] ** 0.5 / torch.where(which, sizes, 1.0)
        both = zip((self.moved, self.bent), pair, factors.to(self.root), strict=True)
        for squares, vector, factor in both:
            shown = vector if surely(which) else torch.where(which[:, None], vector, 0.0)
            scaled = shown * factor[:, None]
            squares.mul_(kept).addcmul_(scaled, scaled)
        ratio = torch.add(self.moved, LEAST, out=self.root).div_(self.bent + LEAST)
        ratio.clamp_(1 / STRONGEST, STRONGEST).sqrt_().sqrt_().sqrt_()

    def apply_(self, vector: Float[Tensor, "b n"]) -> None:
        """Let v become H₀ v."""
        scaled = vector.mul_(self.root)
        square = torch.linalg.vector_norm(scaled, dim=1).square()
        plane = torch.fft.rfft2(scaled.view(self.shape), norm="ortho").mul_(self.weights)
        weighted = torch.fft.irfft2(plane, s=self.shape[2:], norm="ortho").flatten(1)
        least = torch.finfo(square.dtype).tiny  # so that nothing is divided by zero
        self.mean_weight = torch.linalg.vecdot(scaled, weighted) / square.clamp_min(least)
        torch.mul(weighted, self.root, out=vector)

    def square(self, vector: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """About vᵀ H₀ v, without another transform: vᵀ D v times `mean_weight`.

        It scales H₀ for a step, where a few per cent more or less are made up for by the next.
        """
        return torch.linalg.vector_norm(vector * self.root, dim=1).square() * self.mean_weight

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on with the same bits; it changes with a step."""
        return {name: getattr(self, name) for name in STATE}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state that `state_dict` gave."""
        for name in STATE:
            setattr(self, name, state[name].to(self.root.device).clone())
