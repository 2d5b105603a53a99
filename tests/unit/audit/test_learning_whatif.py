"""What another rule would have made of the updates that came in."""

import pytest

from audit.learning_whatif import rounds_under
from cli.audit_learning import otherwise
from cli.main import main
from domain.learning.events import RoundAggregated
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal
from tests.unit.audit.learning_cycle import Made, whole


async def test_the_same_rule_makes_the_same_models_and_another_one_others():
    made = await whole()
    recorded = [event.data.digest for event in made.log if isinstance(event.data, RoundAggregated)]
    same = await rounds_under(made.log, made.artifacts, "fedavg")
    assert [(one.round, one.digest, one.distance) for one in same] == [
        (1, recorded[0], 0.0),
        (2, recorded[1], 0.0),
    ]
    assert otherwise(same[0], "fedavg") == "round 1: fedavg makes the recorded model"
    other = await rounds_under(made.log, made.artifacts, "median")
    assert [one.recorded for one in other] == recorded
    assert all(one.digest not in recorded and one.distance > 0 for one in other)
    assert otherwise(other[0], "median").startswith("round 1: median makes another model, ")


async def test_another_rule_is_told_the_clients_learning_rate_as_the_cycle_would_have():
    fair = await whole(strategy="q_fedavg", learning_rate=0.7)
    assert all(one.digest == one.recorded for one in await rounds_under(fair.log, fair.artifacts, "q_fedavg"))


async def test_a_rule_that_cannot_bear_so_few_says_so_for_each_round():
    made = await whole()
    found = await rounds_under(made.log, made.artifacts, "krum")
    assert [one.digest for one in found] == [None, None]
    assert otherwise(found[0], "krum").startswith("round 1: krum makes no model: strategy: krum needs n >=")


@pytest.mark.parametrize("rule", ["fedsgd", "scaffold", "clustered"])
async def test_a_rule_for_which_clients_do_other_work_is_refused(rule):
    made = await whole()
    with pytest.raises(Refusal, match=f"clients do other work for {rule} than for fedavg"):
        await rounds_under(made.log, made.artifacts, rule)


async def test_of_hidden_updates_nothing_else_can_be_made():
    made = await whole(Made.aggregate_hidden, privacy=PrivacySpec("secure_mpc"))
    with pytest.raises(Refusal, match="secure_mpc hides each update from everybody"):
        await rounds_under(made.log, made.artifacts, "median")


@pytest.mark.parametrize(
    ("args", "line", "code"),
    [
        (["learning/c", "--strategy", "hope"], "strategy: there is no 'hope'", 1),
        (["consensus/c", "--strategy", "median"], "--strategy: consensus/c is no learning cycle", 1),
        (["--all", "--strategy", "median"], "goes with the STREAM of one learning cycle", 2),
        (["learning/c", "--strategy", "median", "--quorum", "0.5"], "and nothing else", 2),
    ],
)
def test_what_cannot_be_asked_is_refused_before_any_server_is(capsys, args, line, code):
    assert main(["audit", "whatif", *args]) == code
    assert line in capsys.readouterr().err
