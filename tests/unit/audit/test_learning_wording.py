"""What the events of cycles, of models and of privacy ledgers say in words."""

from dataclasses import replace

import pytest

from audit.wording import said
from domain.learning.budget.events import BudgetCharged, BudgetOpened, BudgetRefused, Overspent, Spent
from domain.learning.events import CycleFailed, CycleWithdrawn, Loss, PrivacyMetadata, UpdatesCollected
from domain.learning.mechanism import Mechanism
from domain.learning.versions.events import CanaryEvaluated, DriftDetected, Promoted, RolledBack, Unheard
from tests.unit.learning_events import abandoned, aggregated, closed, opened, ref, report, round_opened, sha

MANY = tuple(f"client-{number:03}" for number in range(20))
NOISED = PrivacyMetadata("differential_privacy", 1.23456, 1e-5, 0.9)
SAID = {
    "an opening": (
        opened(),
        "logistic_regression trains digits for 2 rounds from a fresh model, model file "
        + ref("model 0").sha256,
    ),
    "an opening from a version": (
        replace(opened(), parent="v1.0"),
        "for 2 rounds from version v1.0, model file ",
    ),
    "the rows that train": (opened(), "rows of 'default' from 2026-10-25 12:00 to 2026-11-01 12:00"),
    "a small cohort": (
        round_opened(),
        "round 1: 4 of 10 eligible are asked: ann, bob, cyd, dan; drawn from roster file",
    ),
    "a large cohort": (
        round_opened(clients=MANY),
        "client-006, client-007 and 12 more; drawn from roster file",
    ),
    "another attempt": (round_opened(attempt=2), "round 1, attempt 2: 4 of 10"),
    "reports": (
        UpdatesCollected(1, 1, (report("ann"),)),
        f"round 1: 1 reported: ann file {sha('ann 1 1')[:12]}",
    ),
    "losses": (
        UpdatesCollected(1, 1, (), (Loss("bob", "late"), Loss("cyd", "failed", "no rows"))),
        "round 1: 0 reported; 2 lost: bob late, cyd failed (no rows)",
    ),
    "an abandoned attempt": (abandoned(), "round 1 is abandoned: 2 of 3 reports needed (2 of 3)"),
    "a model": (
        aggregated(),
        f"round 1: fedavg makes a model of 3 updates with digest {aggregated().entered}: model digest ",
    ),
    "the model's two digests": (
        aggregated(),
        f": model digest {sha('digest 1')}, model file {ref('model 1').sha256};",
    ),
    "who was left out": (aggregated(excluded=("eve",)), ", left out eve: model digest"),
    "what travelled": (aggregated(), "1,600 bytes sent against 3,000 raw; privacy none"),
    "no accuracy": (aggregated(accuracy=None), "accuracy unknown"),
    "epsilon": (aggregated(privacy=NOISED), "privacy differential_privacy, epsilon 1.235 at delta 1e-05"),
    "evidence": (aggregated(evidence=ref("sum")), f"; evidence file {ref('sum').sha256}"),
    "a version": (
        closed(),
        f"published as v1.0, model digest {sha('digest 2')}: 3 participants, 6 updates in 2 rounds,",
    ),
    "a failure": (CycleFailed(3, "no budget"), "failed in round 3, no version follows: no budget"),
    "a ledger": (
        BudgetOpened("wards", 1.0, 1e-5),
        "wards: each subject may spend 1 epsilon at delta 1e-05",
    ),
    "a charge": (
        BudgetCharged(
            "c/1/1", "d" * 64, Mechanism(4.0, 0.25, 3), (Spent(("ann", "bob"), 1, 0.0, 0.5),), 1, 2
        ),
        "c/1/1 costs 3 times Gaussian noise of 4 on a sample of 0.25 (part 1 of 2); epsilon of ann 0 to",
    ),
    "a charge that was refused": (
        BudgetRefused("c/2/1", "d" * 64, Mechanism(4.0), 3, 1, (Overspent("ann", 1.25),), 0.5),
        "c/2/1, which costs Gaussian noise of 4, is refused: 1 of 3 subjects would pass the budget:",
    ),
    "a canary that nobody heard of": (
        CanaryEvaluated("v1.1", (), (Unheard("eu-1", "away"),)),
        "v1.1 was evaluated, by loss: by nobody; not heard: eu-1 (away)",
    ),
    "the first that serves": (
        Promoted("v1.0", None, "policy", "", "the policy asks for no canary"),
        "v1.0 serves, says the policy: the policy asks for no canary",
    ),
    "a person's roll-back": (
        RolledBack("v1.1", "v1.0", "person", "ann", "wrong"),
        "v1.1 is taken back and v1.0 serves, says ann: wrong",
    ),
    "a drift of which less follows": (
        DriftDetected("v1.0", 0.1, 0.5, 3, 0.002, "say", "nothing to go back to"),
        "the observed loss of v1.0 rose from 0.1 to 0.5: nothing follows (nothing to go back to)",
    ),
    "a withdrawal": (
        CycleWithdrawn("temporal", "", 1),
        "withdrawn after 1 round, no version follows; temporal was asked to cancel: no reason was given",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_an_event_of_learning_says_it_in_one_line(name):
    data, words = SAID[name]
    assert words in said(data)
    assert "\n" not in said(data)
