"""What each event of a model's versions and of a privacy ledger says in words."""

from typing import get_args

import pytest

from audit.wording import said
from domain.learning.budget.events import (
    BudgetCharged,
    BudgetEvent,
    BudgetOpened,
    BudgetRefused,
    Overspent,
    Spent,
)
from domain.learning.mechanism import Mechanism
from domain.learning.trainer import Evaluation
from domain.learning.versions.events import (
    CanaryEvaluated,
    CanaryStarted,
    DriftDetected,
    DriftPolicySet,
    ModelEvent,
    Observed,
    Promoted,
    RolledBack,
    Unheard,
    VersionPublished,
)
from domain.learning.versions.policy import DriftPolicy, HostEvaluation
from tests.unit.learning_events import ref

NOISE = Mechanism(4.0, 0.25, 3)
PUBLISHED = VersionPublished(
    "v1.1", "c2", ref("file"), "d" * 64, "v1.0", 2, ref("lineage"), None, 0.5, None, None
)
SAID = [
    (
        PUBLISHED,
        (
            f"v1.1 is published, from v1.0, of cycle c2 with 2 participants: model digest {'d' * 64},"
            f" model file {ref('file').sha256}; lineage file {ref('lineage').sha256}"
        ),
    ),
    (CanaryStarted("v1.1", "v1.0", 0.25, 0.05, 1), "v1.1 is tried on 25% of the nodes, against v1.0"),
    (
        CanaryEvaluated(
            "v1.1",
            (HostEvaluation("eu", Evaluation(0.25, None, 9), Evaluation(0.5, None, 9)),),
            (Unheard("us", "away"),),
        ),
        "v1.1 was evaluated on 1 host: eu loss 0.25 against 0.5; unheard: us (away)",
    ),
    (Promoted("v1.0", None, "policy", "", "no canary"), "v1.0 serves, as the policy decided: no canary"),
    (
        RolledBack("v1.1", "v1.0", "person", "ann", "wrong"),
        "v1.1 is taken back, v1.0 serves, as ann decided: wrong",
    ),
    (
        Observed("o1", "v1.0", (0.25, 0.5)),
        "seen of v1.0: 2 losses, 0.25 to 0.5 (observation o1)",
    ),
    (
        DriftDetected("v1.0", 0.25, 0.5, 4, 0.002, "say", "none before"),
        "drift: the loss of v1.0 rose from 0.25 to 0.5; nothing follows (none before)",
    ),
    (
        DriftPolicySet(DriftPolicy("roll_back"), "ann", "agreed"),
        "where the loss drifts, it is rolled back, as ann decided: agreed",
    ),
    (BudgetOpened("default", 1.0, 1e-5), "each subject of default may spend epsilon 1 at delta 1e-05"),
    (
        BudgetCharged("c round 1", "d", NOISE, (Spent(("ann", "bob"), 1, 0.0, 0.25),), 1, 2),
        (
            "c round 1: 2 subjects charged (part 1 of 2), epsilon of ann 0 to 0.25, bob 0 to 0.25;"
            " noise multiplier 4, drawn with probability 0.25, 3 times"
        ),
    ),
    (
        BudgetRefused("c round 2", "d", Mechanism(4.0), 2, 1, (Overspent("ann", 1.5),), 0.75),
        (
            "c round 2: refused, nobody is charged: 1 of 2 subjects would pass the budget: ann to 1.5;"
            " noise multiplier 4"
        ),
    ),
]


@pytest.mark.parametrize(("data", "words"), SAID)
def test_an_event_of_a_version_or_a_ledger_says_it_in_one_line(data, words):
    assert said(data) == words


def test_no_kind_of_event_of_the_two_is_without_words():
    assert {type(data) for data, _ in SAID} == {*get_args(ModelEvent), *get_args(BudgetEvent)}
