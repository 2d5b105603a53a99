"""Whatever is asked of a model, in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from domain.learning.trainer import Evaluation
from domain.learning.versions.lineage import digest_of
from domain.learning.versions.policy import WORST, drawn, has_fallen, weighted_loss
from domain.learning.versions.state import version_for
from domain.refusal import Refusal
from tests.unit.domain.learning.versions.story import Story, found

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["publish", "fresh", "canary", "judge", "back", "first", "promote"]), st.floats(0, 3)
    ),
    max_size=12,
)


def step(story, number, kind, loss):
    state = story.state
    canary = state.canary.version if state.canary else "v1.0"
    match kind:
        case "publish" | "canary":
            return story.publish(f"c{number}", state.active, canary=0.3 if kind == "canary" else 0.0)
        case "fresh":
            return story.publish(f"c{number}")
        case "judge":
            return story.judge(canary, found(loss))
        case "back":
            return story.back(reason=f"reason {number}")
        case "first":
            return story.back("v1.0")
        case _:
            return promoted(story)


def promoted(story):
    from domain.learning.versions import decide
    from domain.learning.versions.commands import PromoteVersion

    return story.take(decide.promote, PromoteVersion("v1.0", "reason", "ann"))


@given(STEPS)
def test_a_step_taken_twice_is_taken_once_and_somebody_serves_from_the_first_version_on(steps):
    story = Story()
    for number, (kind, loss) in enumerate(steps):
        try:
            step(story, number, kind, loss)
        except Refusal:
            continue
        state = story.state
        if kind in {"judge", "canary", "back", "first"}:
            try:
                assert step(story, number, kind, loss) == []
            except Refusal:
                assert kind == "judge"  # the fall-back name, where there was no canary
        assert story.state == state
        serving = {version_for(state, f"n{n}") for n in range(20)}
        assert serving <= {state.active, state.canary.version if state.canary else None}
        assert state.active is not None
        assert state.standing[state.active].status == "promoted"
        assert [one.version for one in state.versions] == list(
            dict.fromkeys(one.version for one in state.versions)
        )


@given(st.text(max_size=5), st.integers(0, 2**53 - 1))
def test_a_draw_is_in_the_unit_interval_and_always_the_same(node, seed):
    found = drawn("digits", "v1.1", seed, node)
    assert 0 <= found < 1
    assert found == drawn("digits", "v1.1", seed, node)


@given(st.lists(st.tuples(st.floats(-WORST, WORST), st.integers(1, 10**12)), min_size=1, max_size=5))
def test_a_mean_of_losses_is_finite_and_between_them(rows):
    mean = weighted_loss([Evaluation(loss, None, samples) for loss, samples in rows])
    losses = [loss for loss, _ in rows]
    spread = 1e-9 * max(abs(loss) for loss in losses)
    assert min(losses) - spread <= mean <= max(losses) + spread


def test_a_loss_below_zero_has_a_tolerance_too():
    assert not has_fallen(-0.96, -1.0, 0.05)
    assert has_fallen(-0.94, -1.0, 0.05)


def test_a_cohort_is_told_by_one_digest_whatever_its_order():
    assert digest_of(["b", "a"]) == digest_of(["a", "b"])
    assert digest_of(["a", "b"]) != digest_of(["ab"])
