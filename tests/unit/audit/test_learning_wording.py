"""What each event of a cycle says in words."""

from dataclasses import replace

import pytest

from audit.wording import said
from domain.learning.events import CycleFailed, CycleWithdrawn, Loss, PrivacyMetadata, UpdatesCollected
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
        f"round 1: 1 reported: ann {sha('ann 1 1')[:12]}",
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
    "a withdrawal": (
        CycleWithdrawn("temporal", "", 1),
        "withdrawn after 1 round, no version follows; temporal was asked to cancel: no reason was given",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_an_event_of_a_cycle_says_it_in_one_line(name):
    data, words = SAID[name]
    assert words in said(data)
    assert "\n" not in said(data)
