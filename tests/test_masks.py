"""Choosing by a mask."""

import torch

from nstlab.masks import choose


def test_a_choice_is_a_copy_only_where_both_are_needed() -> None:
    yes, no = torch.zeros(2, 5), torch.ones(2, 5)
    masks = [torch.tensor(mask)[:, None] for mask in ([True, True], [False] * 2, [True, False])]
    assert choose(masks[0], yes, no) is yes
    assert choose(masks[1], yes, no) is no
    assert torch.equal(choose(masks[2], yes, no), torch.stack([yes[0], no[1]]))
