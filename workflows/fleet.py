"""Writes what a node process says of itself: one short run for each event, one at a time for each host."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.fleet import Announcing
    from domain.counting import counted
    from domain.learning.fleet import Announced, Announcement, FleetEvent, Left, Written
    from domain.refusal import Refusal
    from domain.stream import Draft
    from workflows import names
    from workflows.heartbeats import ALIVE
    from workflows.recording import Recording

_LOOK = timedelta(seconds=20)
# A database that is away is waited for: a host that is not in the roster is not asked anyway.
_PATIENCE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))


@workflow.defn(name=names.ANNOUNCE_HOST)
class AnnounceHost:
    """The one writer of the stream `fleet/<host>`, which is its workflow id; it decides nothing itself."""

    @workflow.run
    async def run(self, asked: Announcement) -> Written:
        said, info = asked.event, workflow.info()
        stream = names.fleet_stream(said.host)
        if info.workflow_id != stream:
            raise Refusal("id", f"the workflow {stream} alone writes that stream; start it under this id")
        workflow.set_current_details(_summary(said))
        new: bool = await workflow.execute_activity_method(
            Announcing.look_up_host,
            asked,
            start_to_close_timeout=_LOOK,
            heartbeat_timeout=ALIVE,
            retry_policy=_PATIENCE,
            summary=f"what is known of {said.host}",
        )
        if new:
            region = said.region if isinstance(said, Announced) else None
            draft = Draft(stream, names.SOURCE, stream, info.run_id, version=asked.counted, region=region)
            recording = Recording[None]("fleet", draft, None, lambda state, _: state)
            await recording.record(lambda _: [said], _summary(said))
        return Written(asked.counted + 1, asked.digest)


def _summary(said: FleetEvent) -> str:
    if isinstance(said, Left):
        return f"{said.host} left"
    part = f", part {said.part} of {said.parts}" if said.parts > 1 else ""
    return f"{said.host} in {said.region} trains for {counted(len(said.clients), 'client')}{part}"
