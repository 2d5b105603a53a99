"""The ancestor of a merge is the end of all that the siblings have in common, or it is missing."""

from hypothesis import given

from domain.causality import causal_context
from domain.causality.causal_context import Dot, covers
from domain.causality.hybrid_clock import Timestamp
from domain.context.ancestors import KEPT, NO_ANCESTOR, Ancestor, common_ancestor, common_past, remember
from domain.context.state import fold
from tests.unit.domain.context.given import histories, wrote


@given(histories(values=("x", "y")))
def test_the_ancestor_is_the_one_write_in_whose_past_all_common_past_lies(writes):
    entry = None
    for write in writes:
        entry = fold(entry, write)
    if len(entry.siblings) < 2:
        return
    past = common_past(entry.siblings)
    inside = [write for write in writes if covers(past, write.dot)]
    ends = [w for w in inside if not any(covers(other.context, w.dot) for other in inside)]
    found = common_ancestor(entry.siblings, writes)
    if not inside:
        assert found == NO_ANCESTOR
    elif len(ends) == 1:
        assert found == Ancestor(ends[0])
    else:
        assert found.write is None
        assert {end.dot for end in ends} <= {*found.missing}


def test_siblings_that_share_no_past_have_no_ancestor():
    assert common_ancestor([wrote("eu:1"), wrote("us:1", seen="ap:1")], [wrote("ap:1")]) == NO_ANCESTOR


def test_an_ancestor_is_found_among_what_is_known_or_named():
    siblings = [wrote("eu:2", seen="eu:1 us:3"), wrote("ap:1", seen="us:3"), wrote("ap:2", seen="us:4")]
    known = [wrote("us:2", seen="us:1"), wrote("us:3", seen="us:2"), wrote("us:4", seen="us:3")]
    assert common_ancestor(siblings, known) == Ancestor(known[1])
    assert common_ancestor(siblings, known[:1]) == Ancestor(missing=(Dot("us", 3),))
    assert common_past(siblings) == causal_context.CausalContext({"us": 3})


def test_a_past_with_two_ends_has_no_single_ancestor():
    ends = [wrote("eu:1"), wrote("us:1")]
    siblings = [wrote("eu:2", seen="eu:1 us:1"), wrote("us:2", seen="eu:1 us:1")]
    assert common_ancestor(siblings, ends) == Ancestor(missing=(Dot("eu", 1), Dot("us", 1)))


def test_a_dot_beyond_the_vector_may_be_the_ancestor():
    siblings = [wrote("eu:1", beyond={"us": (2,)}), wrote("ap:1", beyond={"us": (2,)})]
    assert common_ancestor(siblings, []) == Ancestor(missing=(Dot("us", 2),))
    known = wrote("us:2", 7)
    assert common_ancestor(siblings, [known]) == Ancestor(known)
    knows = wrote("us:1", 7, beyond={"ap": (2,)})
    assert common_ancestor([wrote("eu:1", seen="us:1"), wrote("us:2", seen="us:1")], [knows]) == Ancestor(
        knows
    )


def test_those_that_live_longest_are_kept_then_the_latest():
    long, short = wrote("a:1", "long", wall=1), wrote("b:1", "short", wall=9, ttl_ms=1)
    later, latest = wrote("c:1", "later", wall=2), wrote("d:1", "latest", wall=3)
    assert KEPT == 2
    assert remember((), [short, long], Timestamp(5)) == (long, short)
    assert remember((long, short), [later], Timestamp(5)) == (later, long)
    assert remember((long,), [short], Timestamp(9)) == (long, short)
    assert remember((later, long), [latest], Timestamp(5)) == (latest, later)
    assert remember((latest, later), [long, later], Timestamp(5)) == (latest, later)


def test_what_has_expired_and_what_is_no_text_or_object_is_not_kept():
    short = wrote("b:1", "short", wall=9, ttl_ms=1)
    assert remember((short,), [], Timestamp(9)) == (short,)
    assert remember((short,), [], Timestamp(10)) == ()
    assert remember((), [wrote("a:1", value) for value in (1, None, [1], True)], Timestamp(0)) == ()
