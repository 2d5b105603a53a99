"""A whole number beyond 64 bits is found wherever a field can hold one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from domain.strict_json import MAX_DEPTH
from eventlog.bounds import check_for


@dataclass
class Inner:
    count: int
    name: str = ""


@dataclass
class Outer:
    number: int = 0
    maybe: int | None = None
    many: tuple[int, ...] = ()
    named: dict[str, int] | None = None
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    value: Any = None
    share: float = 0.0
    flag: bool = False


fits = check_for(Outer)


@pytest.mark.parametrize("number", [0, 2**63 - 1, -(2**63)])
def test_numbers_of_64_bits_fit(number):
    assert fits(Outer(number, number, (number,), {"a": number}, Inner(number), (Inner(number),)))


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**4000])
@pytest.mark.parametrize(
    "hide",
    [
        Outer,
        lambda n: Outer(maybe=n),
        lambda n: Outer(many=(0, n)),
        lambda n: Outer(named={"a": 0, "b": n}),
        lambda n: Outer(inner=Inner(n)),
        lambda n: Outer(inners=(Inner(0), Inner(n))),
        lambda n: Outer(value=n),
        lambda n: Outer(value=[1.5, True, {"a": "b", "c": [n]}]),
    ],
    ids=["plain", "optional", "tuple", "dict", "nested", "tuple of nested", "JSON", "within JSON"],
)
def test_a_larger_number_is_found(hide, number):
    assert not fits(hide(number))


@pytest.mark.parametrize("hint", [str, float, bool, str | None, tuple[str, ...], dict[str, float]])
def test_where_no_whole_number_can_be_nothing_is_checked(hint):
    assert check_for(hint) is None


def test_a_json_value_may_be_nested_as_deep_as_a_writer_may_write_it_and_no_deeper():
    value = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert fits(Outer(value=value))
    assert fits(Outer(value=[True, None, "x", 1e300]))
    assert not fits(Outer(value={"a": value}))


@dataclass
class Told:
    settings: Mapping[str, float | int | str | bool]
    epsilon: float | Mapping[str, float] | None = None


def test_settings_of_several_kinds_are_held_to_64_bits_too():
    told = check_for(Told)
    assert told(Told({"a": 2**63 - 1, "b": "x", "c": 1e300, "d": True}))
    assert not told(Told({"b": "x", "a": 2**63}))
