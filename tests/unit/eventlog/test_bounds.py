"""A whole number beyond 64 bits is found wherever a field can hold one."""

from dataclasses import dataclass

import pytest

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
    ],
    ids=["plain", "optional", "tuple", "dict", "nested", "tuple of nested"],
)
def test_a_larger_number_is_found(hide, number):
    assert not fits(hide(number))


@pytest.mark.parametrize("hint", [str, float, bool, str | None, tuple[str, ...], dict[str, float]])
def test_where_no_whole_number_can_be_nothing_is_checked(hint):
    assert check_for(hint) is None
