"""Fields that hang on one another are not put together from two sides."""

import pytest

from domain.context.rules.coupled import GROUPS, QUALIFIERS, parted


@pytest.mark.parametrize("group", GROUPS)
def test_members_of_a_group_changed_by_different_sides_are_parted(group):
    one, other = group[:2]
    assert parted({one: 1, other: 2}) == sorted([one, other])
    assert parted({one: 3, other: 2}) == []
    within = [f"the_{one}_q", f"the_{other}_q"]
    assert parted(dict(zip(within, (1, 2), strict=True))) == sorted(within)


@pytest.mark.parametrize("qualifier", sorted(QUALIFIERS))
def test_a_qualifier_and_anything_else_changed_by_different_sides_are_parted(qualifier):
    assert parted({qualifier: 1, "anything": 2}) == sorted([qualifier, "anything"])
    assert parted({"anything": 2, f"dose_{qualifier}": 1}) == sorted(["anything", f"dose_{qualifier}"])
    assert parted({qualifier: 1, "anything": 1}) == []


def test_fields_that_have_nothing_to_do_with_each_other_are_not():
    assert parted({"mood": 1, "topic": 2, "note": 4}) == []
    assert parted({"start_date": 1, "end_page": 2}) == []
    assert parted({"minTempC": 1, "maxTempC": 2, "minAge": 4}) == ["maxTempC", "minTempC"]
    assert parted({"startDate": 1, "endDate": 2, "note": 4}) == ["endDate", "startDate"]
    assert parted({}) == []
