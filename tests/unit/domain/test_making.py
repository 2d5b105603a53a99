"""What is made quickly is what its class makes."""

from dataclasses import dataclass, field

import pytest

from domain.context.events import Written
from domain.making import maker


@dataclass(frozen=True, slots=True)
class Plain:
    one: int
    two: tuple[str, ...] = ("x",)
    three: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Strict:
    one: int

    def __post_init__(self):
        raise ValueError


def test_it_has_the_fields_and_the_defaults_of_its_class():
    make = maker(Plain)
    assert make(one=1, three={"a": 2}) == Plain(1, ("x",), {"a": 2})
    assert make(one=1, two=(), three={}) == Plain(1, ())
    assert type(make(one=1, three={})) is Plain


def test_it_is_frozen_like_any_other():
    write = maker(Written)(
        layer="l", key="k", value=1, writer="w", region="r", node="n", counter=1, wall=1, seen={}, beyond={}
    )
    assert write == Written("l", "k", 1, "w", "r", "n", 1, 1)
    with pytest.raises(AttributeError):
        write.key = "other"


def test_a_field_left_out_or_unknown_is_told_at_once():
    with pytest.raises(TypeError, match="three"):
        maker(Plain)(one=1)
    with pytest.raises(TypeError, match="four"):
        maker(Plain)(one=1, three={}, four=4)


def test_a_class_that_checks_what_it_is_made_of_is_refused():
    with pytest.raises(TypeError, match="Strict does something"):
        maker(Strict)
