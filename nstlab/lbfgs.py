"""L-BFGS in compact form for a batch of pictures, without a question to the host in between."""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nstlab.masks import choose, surely
from nstlab.preconditioner import Preconditioner
from nstlab.runtime import widest

FIRST_STEP = 0.01  # mean change of a pixel in the first step, when no scale is known yet
SHRINK = 0.25  # of a step that led uphill
LOOK_BACK = 3  # steps; uphill is what is higher than each of so many before
MOST_SHRINKS = 6  # after which the direction is given up with all that it was made from
LEAST_CURVATURE = 1e-6  # of sᵀy / (|s| |y|), below which rounding could have made the sign
ROOM = 1e10  # to the least and the largest size that can be squared, for changes that are learnt
CHUNK = 4096  # numbers of each row that a CPU core multiplies at once; with history 10, 344 kB
STATE = (  # what a checkpoint keeps
    *("point", "origin", "caution", "recent", "shrinks"),
    *("gamma", "curvature", "inverse", "memory", "slot"),
)


class LBFGS:
    """Quasi-Newton steps from the last few changes of picture and gradient.

    Each picture of the batch has its own memory, step length, acceptance and restarts, and none
    knows of the others. There is no line search: a step is normally one evaluation. A step that led
    uphill is taken back and made again at a quarter of its length; after six of those the memory is
    emptied. No tolerance ends anything.

    With the changes of picture S and of gradient Y as columns, R the upper triangle of SᵀY, D its
    diagonal, and the matrix γ H₀ to start from, γ ≈ sᵀy / yᵀH₀y of the newest pair, the direction
    at gradient g is

        d = −r − S u,   v = R⁻¹ Sᵀg,   r = γ H₀ (g − Y v),   u = R⁻ᵀ (D v − Yᵀr),

    so that a step passes twice over S and twice over Y, and H₀ is applied once. H₀ is the identity
    or a `Preconditioner`. R⁻¹ is kept: without its oldest pair it is what is left of it without
    that row and column, and a new pair adds one column.

    Attributes:
        memory: (b, 2 · history + 1, chunks, CHUNK): the rows of S, those of Y, and the gradient at
            the origin; zeros fill the last chunk. All pictures write into the same slot, one after
            the other in a ring; a picture with nothing to learn, as after a step uphill, leaves its
            rows zero and remembers one pair fewer for a while.
        inverse: (b, history, history): R⁻¹, float64, its rows and columns in the order of the
            slots; zero where a slot holds no pair.
        curvature: (b, history): D, likewise.

    Reference:
        Byrd, Nocedal, Schnabel 1994, "Representations of quasi-Newton matrices and their use in
        limited memory methods", equation 3.1.
    """

    def __init__(
        self,
        image: Float[Tensor, "b 3 h w"],
        rate: float = 1.0,
        history: int = 10,
        preconditioner: Preconditioner | None = None,
    ) -> None:
        """Start at a picture.

        Args:
            image: where to start; it is copied.
            rate: factor of each step.
            history: number of pairs that are remembered.
            preconditioner: H₀, made for pictures like this; None for the identity.
        """
        self.rate, self.history, self.shape = rate, history, image.shape
        self.preconditioner = preconditioner
        self.point = image.detach().clone().reshape(len(image), -1)  # to be evaluated next
        self.origin = self.point  # the last one that was accepted
        self.wide = widest(image.device)
        zeros = torch.zeros(len(image), dtype=self.wide, device=image.device)
        self.caution, self.gamma = zeros + 1, zeros + 1
        self.recent = zeros[:, None].repeat(1, LOOK_BACK) + torch.inf
        self.shrinks = zeros.long()
        chunks = -(-self.point.shape[1] // CHUNK)
        limits = torch.finfo(image.dtype)
        self.smallest = (self.point.shape[1] * limits.tiny) ** 0.5 * ROOM
        self.largest = limits.max**0.5 / ROOM
        self.memory = self.point.new_zeros(len(image), 2 * history + 1, chunks, CHUNK)
        self.units = torch.eye(history, dtype=self.wide, device=image.device)
        self.inverse = zeros.new_zeros(len(image), history, history)
        self.curvature = zeros.new_zeros(len(image), history)
        self.slot = 0

    @property
    def slope(self) -> Float[Tensor, "b n"]:
        """The gradient at the origin, in place."""
        return self._rows(2 * self.history)

    def _rows(self, number: int) -> Float[Tensor, "b n"]:
        return self.memory[:, number].flatten(1)[:, : self.point.shape[1]]

    def advance(self, loss: Float[Tensor, " b"], gradient: Float[Tensor, "b 3 h w"]) -> Tensor:
        """The next picture, given loss and gradient at the one that was returned last.

        Args:
            loss: of each picture.
            gradient: d loss / d picture; it is copied.

        Returns:
            The picture, which must not be changed in place: the steps after it start from it.
        """
        slope, loss = gradient.detach().reshape(self.point.shape), loss.detach().to(self.wide)
        begun = self.recent[:, -1] < torch.inf  # false at the first point after a start
        highest = self.recent.where(self.recent < torch.inf, -torch.inf).amax(1)
        uphill = begun & ~(loss <= highest)
        given_up = uphill & (self.shrinks >= MOST_SHRINKS)
        on_slope = self._learn(slope, begun & ~uphill, uphill)
        tried = self.point
        self.origin = choose(uphill[:, None], self.origin, tried)
        self.recent = torch.where(
            uphill[:, None], self.recent, torch.cat([self.recent[:, 1:], loss[:, None]], 1)
        )
        if not surely(~given_up):
            self._forget(given_up, SHRINK)
        direction, length = self._direction(on_slope)
        self.point = torch.addcmul(self.origin, direction, length.to(slope.dtype)[:, None])
        again = uphill & ~given_up
        if not surely(~again):
            shorter = torch.lerp(self.origin, tried, SHRINK)
            self.point = torch.where(again[:, None], shorter, self.point)
        self.shrinks = torch.where(again, self.shrinks + 1, 0)
        return self.point.view(self.shape)

    def restart(
        self, image: Float[Tensor, "b 3 h w"], which: Bool[Tensor, " b"], caution: float = 1.0
    ) -> Tensor:
        """Let some pictures of the batch go on from elsewhere with an empty memory.

        Args:
            image: where to go on from; it is copied.
            which: of which pictures; the others are not touched.
            caution: factor of their next first steps.

        Returns:
            The picture to evaluate next.
        """
        self.point = torch.where(
            which[:, None], image.detach().reshape(self.point.shape), self.point
        )
        self.recent = torch.where(which[:, None], torch.inf, self.recent)
        self._forget(which, caution)
        return self.point.view(self.shape)

    def _forget(self, which: Bool[Tensor, " b"], caution: float) -> None:
        self.curvature = torch.where(which[:, None], 0.0, self.curvature)
        self.inverse = torch.where(which[:, None, None], 0.0, self.inverse)
        self.caution = torch.where(which, self.caution * caution, self.caution)

    def _learn(
        self, slope: Float[Tensor, "b n"], which: Bool[Tensor, " b"], uphill: Bool[Tensor, " b"]
    ) -> Tensor:
        """Put the last step into the memory where it shows positive curvature, and the gradient.

        Returns:
            (b, history): Sᵀg, g being the gradient at the origin.
        """
        row, history = self.slot, self.history
        step = torch.sub(self.point, self.origin, out=self._rows(row))
        change = torch.sub(slope, self.slope, out=self._rows(history + row))
        self.slope.copy_(choose(uphill[:, None], self.slope, slope))
        both = self.memory[:, history + row :: history - row]  # the newest row of Y, and the last
        on_y, on_slope = _inner(both, self.memory[:, :history]).to(self.wide).unbind(1)
        curvature = on_y[:, row]
        pair = self.memory[:, row:-1:history]
        chunks = torch.linalg.vector_norm(pair, dim=3)  # first, for the same bits in any batch
        sizes = torch.linalg.vector_norm(chunks, dim=2).to(self.wide)
        seen = ((sizes > self.smallest) & (sizes < self.largest)).all(1)
        learnt = which & seen & (curvature > LEAST_CURVATURE * sizes.prod(1))
        square = sizes[:, 1].square()
        if self.preconditioner is not None:
            self.preconditioner.see((step, change), sizes, learnt)
            square = self.preconditioner.square(change).to(self.wide)
        if not surely(learnt):
            pair.masked_fill_(~learnt[:, None, None, None], 0)  # nan · 0 would be nan
        self.inverse[:, row] = 0  # of the oldest pair, which the newest takes the place of
        self.inverse[..., row] = 0
        column = torch.baddbmm(self.units[:, row, None], self.inverse, on_y[..., None], alpha=-1)
        column = column[..., 0] / curvature[:, None]
        self.inverse[..., row] = torch.where(learnt[:, None], column, 0.0)
        self.curvature[:, row] = torch.where(learnt, curvature, 0.0)
        self.gamma = torch.where(learnt, curvature / square, self.gamma)
        self.slot = (row + 1) % history
        return on_slope

    def _direction(
        self, on_slope: Float[Tensor, "b m"]
    ) -> tuple[Float[Tensor, "b n"], Float[Tensor, " b"]]:
        """The direction at the origin, and the length of the first step along it."""
        history, learnt = self.history, self.curvature > 0
        some = learnt.any(1)
        gamma = torch.where(some, self.gamma, 1.0)[:, None]
        v = torch.bmm(self.inverse, torch.where(learnt, on_slope, 0.0)[..., None])[..., 0]
        factors = torch.cat([-v, torch.ones_like(gamma)], 1) * gamma
        rest = _mix(factors.to(self.memory.dtype), self.memory[:, history:])
        if self.preconditioner is not None:
            self.preconditioner.apply_(rest[:, : self.point.shape[1]])
        on_y = _inner(rest.view_as(self.memory[:, :1]), self.memory[:, history:-1])[:, 0]
        u = torch.bmm((self.curvature * v - on_y.to(self.wide))[:, None], self.inverse)[:, 0]
        direction = _mix(-u.to(self.memory.dtype), self.memory[:, :history], less=rest)
        direction = direction[:, : self.point.shape[1]]
        if surely(some):
            return direction, torch.full_like(self.gamma, self.rate)
        rows = direction.abs().view(self.shape).mean(3)  # first, as above
        steepness = rows.mean((1, 2))
        first = FIRST_STEP * self.caution / steepness.to(self.wide).clamp_min(1e-30)
        return direction, self.rate * torch.where(some, 1.0, first)

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on with the same bits; it changes with a step."""
        state = {name: getattr(self, name) for name in STATE}
        if self.preconditioner is not None:
            state["preconditioner"] = self.preconditioner.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state that `state_dict` gave."""
        for name in STATE:
            value = state[name]
            live = isinstance(value, Tensor)
            setattr(self, name, value.to(self.memory.device).clone() if live else value)
        if self.preconditioner is not None:
            self.preconditioner.load_state_dict(state["preconditioner"])


def _inner(few: Float[Tensor, "b p k c"], rows: Float[Tensor, "b m k c"]) -> Tensor:
    """(b, p, m): inner products over the last two dimensions.

    MKL is slow where few rows are long: a CPU multiplies chunk by chunk, in a third of the time.
    """
    if rows.device.type != "cpu":
        return few.flatten(2) @ rows.flatten(2).mT
    pairs = zip(few.transpose(1, 2), rows.transpose(1, 2), strict=True)
    return torch.stack([torch.bmm(p, m.mT).to(torch.float64).sum(0) for p, m in pairs])


def _mix(
    factors: Float[Tensor, "b m"],
    rows: Float[Tensor, "b m k c"],
    less: Float[Tensor, "b n"] | None = None,
) -> Float[Tensor, "b n"]:
    """Sum of rows times factors, less a vector; on the CPU chunk by chunk, as above."""
    if rows.device.type != "cpu":
        mixed = (factors[:, None] @ rows.flatten(2))[:, 0]
        return mixed if less is None else mixed.sub_(less)
    mixed = rows.new_empty(len(rows), rows.shape[2], 1, rows.shape[3])
    taken = mixed if less is None else less.view_as(mixed)
    for each, own, out, off in zip(rows.transpose(1, 2), factors, mixed, taken, strict=True):
        own = own.expand(len(each), 1, -1)
        torch.baddbmm(off, own, each, beta=0 if less is None else -1, out=out)
    return mixed.flatten(1)
