"""The regions of an embedded stack: asked for once, there for good."""

import pytest

from domain.refusal import Refusal
from workers.embedded.regions import settle


def test_a_stack_has_one_region_until_it_is_asked_for_others_and_keeps_all(tmp_path):
    assert settle(tmp_path, [], default=False) == []
    assert settle(tmp_path, [], default=True) == ["local"]
    assert settle(tmp_path, ["us", "eu"], default=True) == ["eu", "local", "us"]
    assert settle(tmp_path, [], default=False) == ["eu", "local", "us"]


def test_regions_that_are_asked_for_at_first_are_the_only_ones(tmp_path):
    assert settle(tmp_path, ["us", "eu"], default=True) == ["eu", "us"]
    with pytest.raises(Refusal, match=r"^--regions: 'EU' is not"):
        settle(tmp_path, ["EU"], default=True)
    assert settle(tmp_path, [], default=True) == ["eu", "us"]
