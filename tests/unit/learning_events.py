"""A learning cycle's events as a test wants them, by hand: nothing of them was computed."""

import hashlib
from datetime import UTC, datetime, timedelta

from domain.artifact import ArtifactRef
from domain.event import Event, event_id
from domain.learning.commands import RunCycle
from domain.learning.events import (
    CycleClosed,
    CycleOpened,
    Loss,
    Member,
    PrivacyMetadata,
    Report,
    RoundAbandoned,
    RoundAggregated,
    RoundOpened,
    UpdatesCollected,
)
from domain.learning.policy import CohortPolicy, TrainerSpec
from domain.learning.tensors import TensorSpec

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
CLIENTS = ("ann", "bob", "cyd", "dan")


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def ref(text):
    return ArtifactRef(f"memory://{sha(text)}", sha(text), len(text))


def request(**changes):
    few = CohortPolicy(share=1.0, minimum=3, size=4)
    trainer = TrainerSpec("logistic_regression", {"features": 2})
    return RunCycle("c", "digits", trainer, **{"rounds": 2, "cohort": few, **changes})


def opened(**changes):
    schema = (TensorSpec("w", "personality_evolutions", (2,)),)
    asked = request(**changes)
    since = START - timedelta(days=asked.data.days)
    return CycleOpened(asked, since, START, schema, ref("model 0"), None, sha("code"), sha("rows"))


def round_opened(number=1, attempt=1, clients=CLIENTS):
    cohort = tuple(Member(client, "host-1", "eu") for client in sorted(clients))
    return RoundOpened(number, attempt, ref("roster"), 10, cohort, ref(f"model {number - 1}"))


def report(client, number=1, attempt=1, **changes):
    told = {"samples": 10, "steps": 4, "planned": 4, "loss": 0.5, "raw_bytes": 1_000, "level": "none"}
    return Report(client, sha(f"{client} {number} {attempt}"), 200, **{**told, **changes})


def collected(number=1, attempt=1, clients=CLIENTS[:3], lost=CLIENTS[3:]):
    reports = tuple(report(client, number, attempt) for client in clients)
    return UpdatesCollected(number, attempt, reports, tuple(Loss(client, "late") for client in lost))


def entered(reports):
    return sha("".join(f"{one}\n" for one in sorted(each.sha256 for each in reports)))


def aggregated(number=1, attempt=1, clients=CLIENTS[:3], **changes):
    said = {
        "rule": "fedavg",
        "entered": entered(report(client, number, attempt) for client in clients),
        "clients": len(clients),
        "excluded": (),
        "model": ref(f"model {number}"),
        "digest": sha(f"digest {number}"),
        "state": None,
        "loss": 1.0 / number,
        "accuracy": 0.5 + number / 10,
        "drift": 0.25,
        "sent_bytes": 1_600,
        "raw_bytes": 3_000,
        "privacy": PrivacyMetadata("none"),
    }
    return RoundAggregated(number, attempt, **{**said, **changes})


def abandoned(number=1, attempt=1, reported=2):
    return RoundAbandoned(number, attempt, reported, 3, "2 of 3 reports needed")


def closed(rounds=2, **changes):
    said = {
        "version": "v1.0",
        "digest": sha(f"digest {rounds}"),
        "participants": 3,
        "insights_aggregated": 3 * rounds,
        "privacy_level": "none",
        "rounds": rounds,
    }
    return CycleClosed(**{**said, **changes})


def whole():
    """A cycle of two rounds, of which the first needed two attempts."""
    return [
        opened(),
        round_opened(),
        collected(clients=("ann", "bob"), lost=("cyd", "dan")),
        abandoned(),
        round_opened(attempt=2),
        collected(attempt=2),
        aggregated(attempt=2),
        round_opened(2),
        UpdatesCollected(2, 1, (report("ann", 2),)),
        UpdatesCollected(2, 1, (report("bob", 2), report("cyd", 2)), (Loss("dan", "failed", "no rows"),)),
        aggregated(2),
        closed(),
    ]


def written(data, stream="learning/c", first=1):
    """What was said, as events of one stream."""
    return [
        Event(
            event_id(START + timedelta(seconds=version), stream, version),
            stream,
            version,
            START + timedelta(seconds=version),
            said,
            "test",
            stream,
            "run",
        )
        for version, said in enumerate(data, first)
    ]
