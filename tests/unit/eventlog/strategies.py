"""Any event of the catalogue, of whatever content the log can store."""

from base64 import b64encode
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from domain.conflict.policy import ConflictPolicy
from domain.consensus.policy import Policy
from domain.event import Event, event_id
from domain.learning.commands import RunCycle
from domain.learning.fleet import Announced, Client, DataOffer, Left
from domain.learning.mechanism import Mechanism
from domain.learning.policy import CohortPolicy, DataSelector, PrivacySpec, TrainerSpec
from domain.learning.trainer import Evaluation
from domain.learning.versions.policy import DriftPolicy, HostEvaluation
from eventlog.catalogue import EVENTS

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
WHOLE = st.integers(-(2**63), 2**63 - 1)
FRACTION = st.floats(allow_nan=False, allow_infinity=False)
POLICY = st.builds(
    Policy,
    threshold=st.floats(0, 1, exclude_min=True),
    quorum=st.floats(0, 1),
    max_rounds=st.integers(1, 20),
    weighting=st.sampled_from(["equal", "reputation", "posterior", "calibrated"]),
    panel_size=st.none() | st.integers(1, 500),
    seed=st.integers(0, 2**63 - 1),
    otherwise=st.sampled_from(["mediate", "person", "unresolved"]),
)
CONFLICT_POLICY = st.builds(
    ConflictPolicy,
    local_appeal_seconds=st.floats(0, 86_400),
    appeals_each=st.integers(0, 3),
    threshold=st.floats(0, 1, exclude_min=True),
    weighting=st.sampled_from(["equal", "reputation"]),
    after_deadline=st.sampled_from(["hold", "uphold", "unresolved"]),
    seed=st.integers(0, 2**63 - 1),
)
MECHANISM = st.builds(
    Mechanism,
    noise_multiplier=st.floats(0, 1e6, exclude_min=True),
    sampling=st.floats(0, 1, exclude_min=True),
    count=st.integers(1, 1_000_000),
)
TRAINER = st.builds(
    TrainerSpec, TEXT, st.dictionaries(TEXT, WHOLE | FRACTION | TEXT | st.booleans(), max_size=3)
)
PRIVACY = st.builds(
    PrivacySpec,
    method=st.just("differential_privacy"),
    epsilon=st.none() | st.floats(0.1, 9) | st.fixed_dictionaries({"context": st.floats(0.1, 9)}),
)
CYCLE = st.builds(
    RunCycle,
    st.just("c1"),
    st.just("digits"),
    TRAINER,
    rounds=st.integers(1, 1000),
    cohort=st.builds(CohortPolicy, st.floats(0.01, 1), st.integers(1, 100)),
    privacy=PRIVACY,
)
SELECTOR = st.builds(DataSelector, st.just("digits"), st.floats(0.5, 7))
EVALUATION = st.builds(Evaluation, st.floats(-1e300, 1e300), st.none() | FRACTION, st.integers(1, 2**40))
CYCLE = st.builds(RunCycle, st.just("c1"), st.just("digits"), TRAINER, rounds=st.integers(1, 1000))
DRIFT_POLICY = st.builds(DriftPolicy, st.just("cycle"), st.floats(0.001, 1), st.none() | CYCLE)
NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True)
STREAM = st.builds("{}/{}".format, st.sampled_from(["consensus", "docket", "context", "conflict"]), NAME)
TIME = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 # hypothesis wants them bare
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | FRACTION | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ID = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)
OFFER = st.builds(
    DataOffer,
    ID,
    st.integers(0, 10**12),
    quality=st.floats(0, 1),
    since=st.none() | TIME,
    until=st.none() | TIME,
)
CLIENT = st.builds(
    Client,
    ID,
    st.lists(OFFER, max_size=2).map(tuple),
    st.lists(NAME, max_size=2).map(tuple),
    subject=st.none() | ID,
    identity=st.none() | st.binary(min_size=32, max_size=32).map(lambda key: b64encode(key).decode()),
    network_mbps=st.floats(0, 1e9),
    charging=st.none() | st.booleans(),
    unmetered=st.none() | st.booleans(),
    encrypts=st.none() | st.booleans(),
)
ANNOUNCED = st.integers(1, 1_000).flatmap(
    lambda parts: st.builds(
        Announced,
        ID,
        ID,
        st.lists(CLIENT, max_size=3, unique_by=lambda client: client.id).map(tuple),
        part=st.integers(1, parts),
        parts=st.just(parts),
    )
)
LEAVES = {
    Any: JSON,
    str: TEXT,
    int: WHOLE,
    float: FRACTION,
    bool: st.booleans(),
    type(None): st.none(),
    datetime: TIME,
    Policy: POLICY,
    ConflictPolicy: CONFLICT_POLICY,
    Announced: ANNOUNCED,
    Left: st.builds(Left, ID, TEXT),
    Mechanism: MECHANISM,
    TrainerSpec: TRAINER,
    DataSelector: SELECTOR,
    HostEvaluation: st.builds(HostEvaluation, st.just("eu-1"), EVALUATION, EVALUATION),
    DriftPolicy: DRIFT_POLICY,
    RunCycle: CYCLE,
}


def of(hint):
    """A strategy for values of a domain type, every field of it drawn."""
    if hint in LEAVES:
        return LEAVES[hint]
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{field.name: of(hints[field.name]) for field in fields(hint)})
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of(*map(of, arguments))
    if origin is tuple:
        return st.lists(of(arguments[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(of(arguments[0]), of(arguments[1]), max_size=3)
    raise TypeError(hint)  # a field of a new kind: give it a strategy here


def events(data=None):
    """Whole events around `data`, by default around any event of the catalogue."""
    maybe = st.none() | TEXT
    return st.builds(
        Event,
        id=st.builds(event_id, TIME, TEXT),
        stream=STREAM,
        version=st.integers(1, 2**31 - 1),
        time=TIME,
        data=data if data is not None else st.one_of(*map(of, EVENTS)),
        source=TEXT.filter(bool),
        workflow_id=maybe,
        run_id=maybe,
        causation_id=maybe,
        correlation_id=maybe,
        region=maybe,
        traceparent=maybe,
    )
