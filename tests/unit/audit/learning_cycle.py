"""A small cycle that was really computed: roster, draws, updates, models and charges, all in memory."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec
import numpy as np

from activities import update_file
from activities.privacy.accountant import epsilon
from activities.privacy.ledgers import Ledgers
from activities.privacy.port import Session
from audit.announcements import Announcements
from audit.grounds import Grounds
from domain.learning import decide, evidence, tensor_file
from domain.learning.attempt import Drawn, NewModel
from domain.learning.budget.commands import Charged
from domain.learning.budget.decide import answered, charge_budget, compositions
from domain.learning.budget.state import CLOSED
from domain.learning.budget.state import fold_all as fold_ledger
from domain.learning.combinations import settings_of
from domain.learning.commands import RunCycle
from domain.learning.events import CycleOpened, Loss, PrivacyMetadata, Report
from domain.learning.figures import drift_distance
from domain.learning.fleet import Announced, Candidate, Client, DataOffer
from domain.learning.policy import CohortPolicy, LocalTraining, PrivacySpec, StrategySpec, TrainerSpec
from domain.learning.selection import draw, eligible, is_poisson, odds, subject_of
from domain.learning.state import NO_CYCLE, fold_all
from domain.learning.strategies import registry
from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.tensors import TensorSpec, digest
from domain.learning.update import ClientUpdate, TimeRange, UpdateMetadata
from domain.stream import Draft, budget_stream, fleet_stream
from eventlog.codec import decode, encode
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.journal import MemoryJournal
from tests.fakes.log_reader import MemoryReader
from tests.unit.learning_events import START

STREAM = "learning/c"
SCHEMA = (
    TensorSpec("b", "context_patterns", (2,)),
    TensorSpec("w", "personality_evolutions", (3, 2)),
)
SINCE = START - timedelta(days=7)
BAD_QUALITY = "zoe"
CLIENTS = ("ann", "bob", "cyd", "dan", "eva", BAD_QUALITY)


def candidate(name):
    offer = DataOffer("default", 10, quality=0.1 if name == BAD_QUALITY else 1.0)
    client = Client(name, (offer,), ("logistic_regression",), identity="A" * 43 + "=")
    return Candidate(client, "host-1", "eu")


def change(client, number):
    """What a client learned in a round: any numbers, the same again."""
    seed = sum(map(ord, client)) + 31 * number
    return {
        "b": np.linspace(seed % 5, 1, 2, dtype="float32"),
        "w": (np.arange(6, dtype="float32") + seed % 7).reshape(3, 2),
    }


def update_of(client, tensors, says=None):
    parts = update_file.in_sections(SCHEMA, tensors)
    told = UpdateMetadata("none", 10, TimeRange(SINCE, START))
    return update_file.encode(ClientUpdate(says or client, **parts, metadata=told), SCHEMA)


@dataclass
class Budgets:
    """`activities.learning_ports.Budgets`, whose ledger is on `log`."""

    log: list = field(default_factory=list)
    epsilon: object = epsilon

    async def charge(self, charge):
        stream = budget_stream(charge.ledger)
        state = fold_ledger(CLOSED, self.log)
        costs = {one: self.epsilon(one, charge.delta) for one in compositions(state, charge)}
        draft = Draft(stream, "test", stream, "run", version=len(self.log))
        self.log += [
            decode(encode(event)) for event in draft.events(charge_budget(state, charge, costs), START)
        ]
        found = answered(fold_ledger(CLOSED, self.log), charge)
        assert isinstance(found, Charged)
        return found


def announcements(clients=CLIENTS, host="host-1", at=START - timedelta(days=1)):
    """The stream of a host that trains for them."""
    stream = fleet_stream(host)
    said = Announced(host, "eu", tuple(candidate(name).client for name in clients))
    return Draft(stream, "test", stream, "run").events([said], at)


@dataclass
class Made:
    """A cycle being made: what is in the store, what is on its stream, and on those that it rests on."""

    strategy: str = "fedavg"
    privacy: PrivacySpec = field(default_factory=PrivacySpec)
    rounds: int = 2
    seed: int = 0
    clients: tuple = CLIENTS
    settings: dict = field(default_factory=dict)
    learning_rate: float = 0.1
    log: list = field(default_factory=list)
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    draft: Draft = field(default_factory=lambda: Draft(STREAM, "test", STREAM, "run"))
    fleet: list = field(default_factory=announcements)
    budgets: Budgets = field(default_factory=Budgets)
    session: Session | None = None

    def __post_init__(self):
        self.ledgers = Ledgers(self.budgets, MemoryJournal())

    @property
    def noised(self):
        return self.privacy.method in ("differential_privacy", "hybrid")

    def reader(self):
        """The log with all of it."""
        reader = MemoryReader()
        reader.append(self.fleet, "fleet") if self.fleet else None
        reader.append(self.budgets.log, "learning") if self.budgets.log else None
        reader.append(self.log, "learning")
        return reader

    def grounds(self, reader=None):
        return Grounds(self.artifacts, self.budgets.epsilon, Announcements(reader or self.reader()))

    @property
    def state(self):
        return fold_all(NO_CYCLE, self.log)

    def say(self, data):
        at = START + timedelta(seconds=len(self.log))
        self.log += [decode(encode(event)) for event in self.draft.events(data, at)]

    async def open(self):
        request = RunCycle(
            "c",
            "digits",
            TrainerSpec("logistic_regression"),
            rounds=self.rounds,
            cohort=CohortPolicy(share=1, minimum=3, size=4),
            local=LocalTraining(learning_rate=self.learning_rate),
            strategy=StrategySpec(self.strategy, self.settings),
            privacy=self.privacy,
            seed=self.seed,
        )
        fresh = {spec.name: np.zeros(spec.shape, spec.dtype) for spec in SCHEMA}
        model = await self.artifacts.put(tensor_file.encode(fresh))
        self.say([CycleOpened(request, SINCE, START, SCHEMA, model, None, "c" * 64, "")])

    async def draw(self):
        state = self.state
        candidates = tuple(map(candidate, self.clients))
        able = eligible(candidates, state.cycle.request, SINCE, START)
        request = state.cycle.request
        place, poisson = (state.next_round, state.next_attempt), is_poisson(request.privacy)
        cohort = draw(able, request.cohort, request.seed, *place, poisson=poisson)
        if self.noised:
            await self.admit(able, cohort, place)
        roster = await self.artifacts.put(msgspec.json.encode(candidates))
        self.say(decide.open_round(state, Drawn(roster, len(able), cohort)))

    async def admit(self, able, cohort, place):
        """Charge for an attempt, as `activities.drawing` does."""
        request = self.state.cycle.request
        size, subjects = odds(able, request.cohort)
        members = {member.client for member in cohort}
        self.session = Session(
            request.id,
            *place,
            request.rounds,
            tuple(sorted(members)),
            subjects,
            {},
            self.privacy,
            SCHEMA,
            {one.client.id: subject_of(one.client) for one in able if one.client.id in members},
            size=size if is_poisson(request.privacy) else 0,
        )
        await self.ledgers.admit(self.session, sorted({subject_of(one.client) for one in able}))

    async def report(self, client, **changes):
        content = update_of(client, change(client, self.state.next_round))
        ref = await self.artifacts.put(content)
        told = {"samples": 10 + len(client), "steps": 1, "planned": 1, "loss": 0.5, "raw_bytes": 900}
        return Report(client, ref.sha256, ref.bytes, level="none", **{**told, **changes})

    async def collect(self, lost=1):
        state = self.state
        members = [member.client for member in state.round.cohort]
        came = members[: len(members) - lost]
        reports = [await self.report(client) for client in came]
        losses = [Loss(client, "late") for client in members[len(came) :]]
        self.say(decide.collect(state, state.round.round, state.round.attempt, reports, losses))

    def abandon(self):
        state = self.state
        self.say(decide.abandon(state, state.round.round, state.round.attempt, "too few"))

    async def aggregate(self, without=None, **changes):
        """By the strategy, from what was reported, or from that without one client's."""
        state = self.state
        rule = registry.named(self.strategy)
        model = tensor_file.decode(await self.artifacts.get(state.model))[0]
        before = {}
        if state.aggregated is not None and state.aggregated.state is not None:
            before = tensor_file.decode(await self.artifacts.get(state.aggregated.state))[0]
        number = state.next_round
        sent = [
            Sent(one.client, change(one.client, number), one.samples, one.loss)
            for one in state.reports
            if one.client != without
        ]
        settings = settings_of(state.cycle.request, rule)
        made = rule.aggregate(SCHEMA, model, InMemory(sent), before, settings)
        changes = changes if without is None else {"excluded": (without,), **changes}
        await self.became(made, **changes)

    async def became(self, made, **changes):
        state = self.state
        new = NewModel(
            excluded=tuple(sorted(made.excluded)),
            model=await self.artifacts.put(tensor_file.encode(made.model)),
            digest=digest(made.model),
            state=await self.artifacts.put(tensor_file.encode(made.state)) if made.state else None,
            loss=0.5,
            accuracy=None,
            drift=await self.drift(made.model),
            privacy=await self.stated(),
        )
        self.say(decide.aggregated(state, state.round.round, state.round.attempt, replace(new, **changes)))

    async def stated(self):
        if not self.noised:
            return PrivacyMetadata(self.privacy.method)
        return await self.ledgers.stated(self.session)

    async def drift(self, model):
        return drift_distance(tensor_file.decode(await self.artifacts.get(self.state.model))[0], model)

    async def aggregate_hidden(self, **changes):
        """From the sum alone, and with its evidence."""
        state, rule = self.state, registry.named(self.strategy)
        number = state.next_round
        weight = float(sum(one.samples for one in state.reports))
        parts = [(one.samples, change(one.client, number)) for one in state.reports]
        total = {
            spec.name: sum(samples * np.float64(part[spec.name]) for samples, part in parts)
            for spec in SCHEMA
        }
        said = {"updates": {one.client: one.sha256 for one in state.reports}, "weight": weight, **changes}
        kept = evidence.Evidence(self.privacy.method, total, **said)
        model = tensor_file.decode(await self.artifacts.get(state.model))[0]
        mean = {name: array / weight for name, array in total.items()}
        made = rule.step(SCHEMA, model, mean, {}, rule.defaults)
        await self.became(made, evidence=await self.artifacts.put(evidence.write(kept)))

    def close(self):
        self.say(decide.close(self.state, "v1.0"))


async def whole(aggregate=Made.aggregate, **fields):
    """A cycle from its opening to its version."""
    made = Made(**fields)
    await made.open()
    for _ in range(made.rounds):
        await made.draw()
        await made.collect()
        await aggregate(made)
    made.close()
    return made
