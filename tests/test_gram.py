"""Gram matrices against what is known about them by hand."""

import pytest
import torch

from nstlab.gram import gram_matrix
from nstlab.runtime import generator


def features(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def test_of_ones_counts_the_positions():
    ones = torch.ones(2, 3, 4, 5)
    assert torch.equal(gram_matrix(ones, "none"), torch.full((2, 3, 3), 20.0))
    assert torch.allclose(gram_matrix(ones, "positions"), torch.ones(2, 3, 3), atol=1e-6, rtol=0)


def test_against_sums_written_out():
    two = torch.tensor([[[[1.0, 2.0]], [[3.0, -1.0]]]])
    expected = torch.tensor([[[1.0 + 4.0, 3.0 - 2.0], [3.0 - 2.0, 9.0 + 1.0]]])
    assert torch.equal(gram_matrix(two, "none"), expected)
    assert torch.allclose(gram_matrix(two, "positions"), expected / 2, atol=1e-6, rtol=0)


def test_positions_is_the_default_and_divides_by_m():
    some = features(2, 4, 3, 5)
    expected = gram_matrix(some, "none") / 15
    assert torch.allclose(gram_matrix(some), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("norm", ["none", "positions"])
def test_is_symmetric_and_positive_semidefinite(norm):
    gram = gram_matrix(features(3, 6, 2, 2), norm)  # of rank 4 at most: two eigenvalues are 0
    assert torch.allclose(gram, gram.mT, atol=1e-12, rtol=0)
    eigenvalues = torch.linalg.eigvalsh(gram)
    assert eigenvalues.min() > -1e-12
    assert (eigenvalues > 1e-9).sum(1).tolist() == [4, 4, 4]


def test_does_not_know_where_things_are():
    some = features(1, 4, 6, 6)
    order = torch.randperm(36, generator=generator(1))
    shuffled = some.flatten(2)[..., order].reshape(1, 4, 9, 4)
    assert torch.allclose(gram_matrix(some), gram_matrix(shuffled), atol=1e-12, rtol=0)


def test_follows_a_permutation_of_the_channels():
    some, order = features(1, 4, 3, 3), torch.tensor([2, 0, 3, 1])
    expected = gram_matrix(some)[:, order][:, :, order]
    assert torch.allclose(gram_matrix(some[:, order]), expected, atol=1e-12, rtol=0)


def test_positions_does_not_grow_with_a_tiled_picture():
    some = features(1, 3, 4, 4)
    tiled = some.repeat(1, 1, 2, 3)
    assert torch.allclose(gram_matrix(tiled), gram_matrix(some), atol=1e-12, rtol=0)
    assert torch.allclose(
        gram_matrix(tiled, "none"), 6 * gram_matrix(some, "none"), atol=1e-9, rtol=0
    )


def test_pictures_of_a_batch_are_apart():
    some = features(3, 4, 5, 5)
    alone = torch.cat([gram_matrix(one[None]) for one in some])
    assert torch.allclose(gram_matrix(some), alone, atol=1e-12, rtol=0)


@pytest.mark.parametrize("norm", ["none", "positions"])
def test_half_precision_does_not_overflow(norm):
    # 4096 positions of 100 squared sum to 4e7, far above half precision's largest number, 65504.
    large = torch.full((1, 2, 64, 64), 100.0, dtype=torch.float16)
    expected = gram_matrix(large.float(), norm)
    assert torch.allclose(gram_matrix(large, norm), expected, rtol=1e-3)


@pytest.mark.parametrize("height", [3, 37, 64])
@pytest.mark.parametrize("norm", ["none", "positions"])
def test_of_bfloat16_is_that_of_the_same_numbers_in_float32(norm, height):
    some = features(2, 6, height, 61).relu().to(torch.bfloat16)
    some = some.to(memory_format=torch.channels_last).requires_grad_()
    single = some.detach().float().requires_grad_()
    found, expected = gram_matrix(some, norm), gram_matrix(single, norm)
    assert found.dtype == torch.float32
    assert torch.allclose(found, expected, rtol=2**-8)
    weights = features(2, 6, 6, seed=1).float()
    (slope,) = torch.autograd.grad((found * weights).sum(), some)
    (exact,) = torch.autograd.grad((expected * weights).sum(), single)
    assert slope.dtype == torch.bfloat16
    assert slope.stride() == some.stride()
    assert (slope.float() - exact).norm() < 2**-7 * exact.norm()


def test_of_bfloat16_loses_less_the_more_positions_there_are():
    some = features(1, 16, 128, 128).relu().to(torch.bfloat16)
    exact = gram_matrix(some.double())
    flat = some.flatten(2)
    plain = ((flat @ flat.mT).double() / flat.shape[2] - exact).norm()
    assert (gram_matrix(some).double() - exact).norm() < plain / 2


def test_gradient_is_twice_the_error_times_the_features():
    some, other = features(1, 3, 2, 4).requires_grad_(), features(1, 3, 2, 4, seed=1)
    error = gram_matrix(some, "none") - gram_matrix(other, "none")
    error.square().sum().backward()
    assert some.grad is not None
    expected = 4 * (error @ some.flatten(2)).detach().reshape(some.shape)
    assert torch.allclose(some.grad, expected, atol=1e-9, rtol=0)


def test_unknown_norm_names_those_there_are():
    unchecked = getattr(gram_matrix, "__wrapped__", gram_matrix)  # without the tests' type checks
    with pytest.raises(ValueError, match="norm 'elements'; it can be 'none' or 'positions'"):
        unchecked(torch.ones(1, 1, 1, 1), "elements")  # pyright: ignore[reportArgumentType]


def test_it_can_be_differentiated_twice():
    some = features(1, 3, 2, 2).requires_grad_()
    assert torch.autograd.gradcheck(gram_matrix, (some,))
    assert torch.autograd.gradgradcheck(gram_matrix, (some,))
