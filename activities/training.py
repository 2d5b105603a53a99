"""Trains the clients of one host on their own rows; what leaves it is their updates' typed shape alone."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from temporalio import activity

from activities import messages, update_file
from activities.lasting import lasting_is_refused, unkept
from activities.learning_ports import Journal, LargeArtifacts, LocalData, Trainers
from activities.learning_tasks import CloseAttempt, Exchange, Exchanged, TrainReports, TrainTask
from activities.local_rounds import Given, Learned, learn
from activities.own_thread import OwnThreads
from activities.privacy.port import Protected, Session
from activities.privacy.registry import Methods
from activities.watch import OutOfTime, Watch
from domain.learning.events import Loss, Lost, Report
from domain.learning.policy import NOISED
from domain.learning.tensor_file import decode
from domain.learning.tensors import Schema, check_tensors
from domain.learning.update import ClientUpdate, TimeRange, UpdateMetadata
from domain.learning.wire import model_schema, sent_schema
from domain.refusal import Refusal
from domain.strict_json import printable

MAX_WORDS = 200
Clients = Callable[[str], LocalData]
"""The rows of a client that this host trains for; a Refusal where it trains for none of that name."""


class NotTrained(Exception):
    """One client's update does not come in, and what the record says of that."""

    def __init__(self, why: Lost, reason: str) -> None:
        super().__init__(reason)
        self.why: Lost = why
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Host:
    """What a node process has: its clients' rows, its trainers, its journal and its privacy methods."""

    clients: Clients
    trainers: Trainers
    artifacts: LargeArtifacts
    journal: Journal
    methods: Methods


class Training:
    """Runs as activities on the node's own task queue."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._turn = asyncio.Lock()
        self._threads = OwnThreads()

    @activity.defn(name="train_round")
    @lasting_is_refused
    async def train_round(self, task: TrainTask) -> TrainReports:
        """Train each of the task's clients, one after the other, until the round's deadline.

        Safe to repeat: the same task gives the same updates, but for partial work, of which one counts.

        Raises:
            Refusal: the model or the trainer is not what the task says: no client of this host can train.
        """
        watch = Watch.of_activity(task.local.seconds, partial=task.local.partial, clients=len(task.clients))
        given, session = (
            await self._given(task),
            await messages.session_of(self._host.artifacts, task.session),
        )
        training = [
            asyncio.create_task(self._client(task, given, session, one, watch)) for one in task.clients
        ]
        try:
            told = await asyncio.gather(*training)
        finally:
            watch.stop()
            for one in training:  # where one failed, the others train for nobody
                one.cancel()
        return TrainReports(
            tuple(one for one in told if isinstance(one, Report)),
            tuple(one for one in told if isinstance(one, Loss)),
        )

    @activity.defn(name="exchange")
    @lasting_is_refused
    async def exchange(self, task: Exchange) -> Exchanged:
        """Let each client answer its message of one round; whoever cannot is out of this attempt."""
        session = await messages.session_of(self._host.artifacts, task.session)
        inboxes = await messages.read(self._host.artifacts, task.inbox)
        answers: dict[str, bytes] = {}
        lost: list[Loss] = []
        for client, inbox in sorted(inboxes.items()):
            try:
                half = self._host.methods.node(session.spec, client)
                answers[client] = await half.exchange(task.step, session, inbox)
            except Refusal as refusal:
                lost.append(Loss(client, "refused", printable(str(refusal), MAX_WORDS)))
            except OSError as error:
                lost.append(Loss(client, "failed", unkept(client, error)))
        return Exchanged(await messages.keep(self._host.artifacts, answers), tuple(lost))

    @activity.defn(name="close_attempt_on_host")
    async def close_attempt(self, task: CloseAttempt) -> None:
        """Forget the secrets of these clients in an attempt that is over; they answer nothing more in it."""
        session = await messages.session_of(self._host.artifacts, task.session)
        for client in task.clients:
            await self._host.methods.node(session.spec, client).close(session)

    async def _given(self, task: TrainTask) -> Given:
        trainer = self._host.trainers.named(task.trainer.name)
        code = self._host.trainers.code(task.trainer.name)
        if code != task.code:
            raise Refusal(
                "trainer",
                f"{task.trainer.name} is {code[:12]} on this node, but the cycle froze {task.code[:12]}",
            )
        schema = trainer.schema(task.trainer.settings)
        model, _ = decode(await self._host.artifacts.mapped(task.model), "model")
        check_tensors(model_schema(schema, task.course.client, model), model)
        state: dict[str, object] = {}
        if task.state is not None and task.course.client == "control":
            state = {**decode(await self._host.artifacts.mapped(task.state), "state")[0]}
        return Given(task, trainer, schema, model, state)

    async def _client(
        self, task: TrainTask, given: Given, session: Session, client: str, watch: Watch
    ) -> Report | Loss:
        try:
            async with self._turn:
                learned = await self._learn(given, client, watch)
            return await self._send(task, given, session, client, learned)
        except NotTrained as lost:
            return Loss(client, lost.why, printable(lost.reason, MAX_WORDS))

    async def _learn(self, given: Given, client: str, watch: Watch) -> Learned:
        """In a thread, where a trainer, which is anybody's code, may fail in any way.

        What it says of that may hold what it read, and stays here: the type of the error alone is told.
        """
        try:
            rows = self._host.clients(client)
            return await learn(given, client, rows, self._host.journal, watch, threads=self._threads)
        except OutOfTime:
            raise NotTrained("late", "the round's deadline was over") from None
        except Refusal as refusal:
            raise NotTrained("refused", f"{refusal.field} was refused on the node") from None
        except Exception as error:  # noqa: BLE001 # anything may come out of a plugin, and one client's is no other's
            activity.logger.exception("training.failed", extra={"client": client})
            raise NotTrained("failed", type(error).__name__) from None

    async def _send(
        self, task: TrainTask, given: Given, session: Session, client: str, learned: Learned
    ) -> Report:
        method = self._host.methods.method(task.privacy)
        wire = sent_schema(given.schema, task.course.client)
        try:
            update = _update(task, client, learned, wire)
            protected = await self._host.methods.node(task.privacy, client).protect(session, update)
            if method.individual:
                update_file.decode(protected.content, wire)  # the gate: whatever a method made of it
        except Refusal as refusal:
            raise NotTrained("refused", str(refusal)) from None
        except OSError as error:
            raise NotTrained("failed", unkept(client, error)) from None
        ref = await self._host.artifacts.put(protected.content)
        return _report(client, ref.sha256, protected, learned, task.privacy.method)


def _update(task: TrainTask, client: str, learned: Learned, wire: Schema) -> ClientUpdate:
    check_tensors(wire, learned.change, update_file.WHAT)
    metadata = UpdateMetadata("none", learned.samples, TimeRange(task.since, task.until))
    return update_file.shaped(
        {"node_id": client, "metadata": metadata, **update_file.in_sections(wire, learned.change)}, wire
    )


def _report(client: str, sha256: str, protected: Protected, learned: Learned, method: str) -> Report:
    """What is said of an update; with noise every client weighs the same, as its clip is the same."""
    return Report(
        client=client,
        sha256=sha256,
        bytes=len(protected.content),
        samples=1 if method in NOISED else learned.samples,
        steps=learned.steps,
        planned=learned.planned,
        loss=learned.loss if method == "none" else None,
        raw_bytes=learned.raw_bytes,
        level=protected.level,
        group=learned.group,
    )
