"""What an optimiser moves: the pixels of a picture, or its frequencies."""

from typing import Literal, Protocol, get_args, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

CoordinatesName = Literal["pixels", "frequencies"]
COORDINATES: tuple[str, ...] = get_args(CoordinatesName)
FLOOR = 0.02  # cycles per pixel, below which all frequencies count alike
POWER = 0.25  # how much further a low frequency moves than a high one


@runtime_checkable
class Coordinates(Protocol):
    """A linear map between what the optimiser moves, z, and the picture x."""

    def of(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h v"]:
        """The z of a picture."""
        ...

    def image(self, moved: Float[Tensor, "b 3 h v"]) -> Float[Tensor, "b 3 h w"]:
        """The picture x of a z."""
        ...

    def gradient(self, gradient: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h v"]:
        """The gradient in z, ∂L/∂z, of a gradient in pixels, ∂L/∂x."""
        ...


class Pixels:
    """x = z."""

    def of(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The picture."""
        return image

    def image(self, moved: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The picture."""
        return moved

    def gradient(self, gradient: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The gradient."""
        return gradient


class Frequencies:
    """x = F⁻¹(w z), with F the discrete Fourier transform and w = max(f, 0.02)^−¼.

    f is the frequency in cycles per pixel, and w is divided by its root mean square. The losses
    are much flatter along the slow changes of a picture than along its fine ones, and an optimiser
    that steps through pixels takes long to find the colours of large areas; in these coordinates
    all frequencies are about equally steep. L-BFGS has most of a picture in half the steps, and
    often, above all from noise, needs fewer to a given loss.

    z holds real and imaginary parts side by side, of one half of the plane since the other mirrors
    it, scaled such that without w lengths would be those in pixels.

    Reference:
        Mordvintsev, Pezzotti, Schubert, Olah 2018, "Differentiable image parameterizations",
        https://distill.pub/2018/differentiable-parameterizations (there w = 1 / f).
    """

    def __init__(self, like: Float[Tensor, "b 3 h w"]) -> None:
        """Choose the weights for pictures of a size.

        Args:
            like: a picture of the shape, type and device of the run.
        """
        self.shape = like.shape[2:]
        height, width = self.shape
        down, across = (
            torch.fft.fftfreq(height, dtype=torch.float64),
            torch.fft.rfftfreq(width, dtype=torch.float64),
        )
        weights = torch.hypot(down[:, None], across[None]).clamp(min=FLOOR) ** -POWER
        twice = torch.ones_like(across)  # a column that stands for its mirror image too counts so
        twice[1 : (width + 1) // 2] = 2
        weights = weights / ((weights.square() * twice).sum() / (height * width)).sqrt()
        self.weights, self.root = weights.to(like), twice.sqrt().to(like)

    def of(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h v"]:
        """The z of a picture."""
        return self._side_by_side(self._transformed(image) * (self.root / self.weights))

    def image(self, moved: Float[Tensor, "b 3 h v"]) -> Float[Tensor, "b 3 h w"]:
        """The picture of a z."""
        plane = torch.view_as_complex(moved.unflatten(-1, (-1, 2)))
        return torch.fft.irfft2(plane * (self.weights / self.root), s=self.shape, norm="ortho")

    def gradient(self, gradient: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h v"]:
        """The gradient in z, ∂L/∂z, of a gradient in pixels, ∂L/∂x."""
        return self._side_by_side(self._transformed(gradient) * (self.root * self.weights))

    def _transformed(self, image: Tensor) -> Tensor:
        return torch.fft.rfft2(image, norm="ortho")

    def _side_by_side(self, plane: Tensor) -> Tensor:
        return torch.view_as_real(plane).flatten(-2)


def check_coordinates(name: str, optimizer: str) -> None:
    """Raise a `ValueError` unless there are such coordinates and they suit the optimiser."""
    if name not in COORDINATES:
        raise ValueError(f"unknown coordinates {name!r}; there are: {', '.join(COORDINATES)}")
    if name != "pixels" and optimizer == "adam":
        raise ValueError(
            "adam changes each coordinate by as much, which is far too little for the colour of a "
            f"whole picture in {name}; take coordinates 'pixels', or another optimiser"
        )


def make_coordinates(name: CoordinatesName, like: Float[Tensor, "b 3 h w"]) -> Coordinates:
    """Coordinates by name.

    Args:
        name: one of `COORDINATES`.
        like: a picture of the shape, type and device of the run.

    Returns:
        The map.
    """
    return Frequencies(like) if name == "frequencies" else Pixels()
