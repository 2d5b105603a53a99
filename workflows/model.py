"""KeepModel: the versions of one model, for as long as it lives; it decides nothing that the domain can."""

import asyncio
from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.learning_ports import Version
    from domain.learning.versions import commands as c
    from domain.learning.versions import decide
    from domain.learning.versions.events import DriftDetected, ModelEvent
    from domain.learning.versions.state import NO_MODEL, ModelState, fold_all, version_for
    from domain.refusal import Refusal
    from domain.stream import Draft
    from workflows import canaries, model_text, names
    from workflows.drifts import act_on, look
    from workflows.model_answers import (
        KeepModelRequest,
        ObservedAnswer,
        Serving,
        VersionRow,
        serving,
        version_of,
    )
    from workflows.recording import Recording
    from workflows.refusals import said

Decision = Callable[[ModelState], list[ModelEvent]]


@workflow.defn(name=names.KEEP_MODEL)
class KeepModel:
    """An entity: it ends only to begin again, with a short history."""

    def __init__(self) -> None:
        info = workflow.info()
        self._draft = Draft(info.workflow_id, names.SOURCE, info.workflow_id, info.run_id)
        self._recording = Recording("learning", self._draft, NO_MODEL, fold_all)
        self._opening, self._observing = asyncio.Lock(), asyncio.Lock()
        self._ready = False
        self._updates = 0

    @property
    def _state(self) -> ModelState:
        return self._recording.state

    @workflow.run
    async def run(self, request: KeepModelRequest) -> None:
        """Takes one JSON object: model. Its id is `model/<model>`."""
        stream = names.model_stream(request.model)
        if workflow.info().workflow_id != stream:
            raise Refusal(
                "id", f"the versions of {request.model} are kept by {stream}; start it under that id"
            )
        self._begin(request.kept)
        while not self._full(request):
            await workflow.wait_condition(
                lambda: self._full(request) or canaries.due(self._state) is not None
            )
            task = canaries.due(self._state)
            if task is not None:
                await self._evaluate(task)
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(KeepModelRequest(request.model, request.updates, self._state))

    async def _evaluate(self, task: canaries.Due) -> None:
        found = await canaries.evaluate(self._state, task)
        await self._record(lambda state: canaries.judged(state, found), "judge the canary")

    def _begin(self, kept: ModelState) -> None:
        self._draft.version, self._draft.causation_id = kept.events, kept.last_id or None
        self._recording = Recording("learning", self._draft, kept, fold_all)
        self._ready = True

    def _full(self, request: KeepModelRequest) -> bool:
        return self._updates >= request.updates or workflow.info().is_continue_as_new_suggested()

    @workflow.update(name=names.PUBLISH, description="Make a cycle's model the next version")
    async def publish(self, command: c.PublishVersion) -> Version:
        """Answers with the version; the same cycle again gives the same one."""
        await self._told(lambda state: decide.publish(state, command), f"publish {command.cycle}")
        found = self._state.of_cycle(command.cycle)
        if found is None:
            raise AssertionError("what was published has a version")
        return version_of(found)

    @publish.validator
    def _check_publish(self, command: c.PublishVersion) -> None:
        self._check(lambda state: decide.publish(state, command))

    @workflow.update(name=names.JUDGE, description="What nodes found of the canary; the policy decides")
    async def judge(self, command: c.JudgeCanary) -> tuple[str, ...]:
        """Answers with the ids of the events that record it."""
        return await self._told(lambda state: decide.judge(state, command), f"judge {command.version}")

    @judge.validator
    def _check_judge(self, command: c.JudgeCanary) -> None:
        self._check(lambda state: decide.judge(state, command))

    @workflow.update(name=names.PROMOTE, description="Let a version serve every node, as a person")
    async def promote(self, command: c.PromoteVersion) -> tuple[str, ...]:
        """Answers with the ids of the events that record it; none where it serves already."""
        return await self._told(lambda state: decide.promote(state, command), f"promote {command.version}")

    @promote.validator
    def _check_promote(self, command: c.PromoteVersion) -> None:
        self._check(lambda state: decide.promote(state, command))

    @workflow.update(name=names.ROLL_BACK, description="Take back the canary, or the version that serves")
    async def roll_back(self, command: c.RollBack) -> tuple[str, ...]:
        """Answers with the ids of the events that record it; none where it was done before."""
        return await self._told(lambda state: decide.roll_back(state, command), "roll back")

    @roll_back.validator
    def _check_roll_back(self, command: c.RollBack) -> None:
        self._check(lambda state: decide.roll_back(state, command))

    @workflow.update(name=names.SET_DRIFT_POLICY, description="What is to follow from a drift, as a person")
    async def set_drift_policy(self, command: c.SetDriftPolicy) -> tuple[str, ...]:
        """Answers with the ids of the events that record it; none where that stands already."""
        return await self._told(lambda state: decide.set_drift_policy(state, command), "set the drift policy")

    @workflow.update(name=names.OBSERVE, description="Losses of the version that serves, oldest first")
    async def observe(self, command: c.Observe) -> ObservedAnswer:
        """Puts them on the record, and looks whether they have risen."""
        async with self._observing:
            events = await self._told(lambda state: decide.observe(state, command), f"observe {command.id}")
            try:
                return await self._look(events)
            except ActivityError as error:
                return ObservedAnswer(events, unlooked=str(said(error)))

    @observe.validator
    def _check_observe(self, command: c.Observe) -> None:
        self._check(lambda state: decide.observe(state, command))

    async def _look(self, events: tuple[str, ...]) -> ObservedAnswer:
        found = await look(self._state) if events else None
        if found is None:
            return ObservedAnswer(events)
        recorded = await self._record(lambda state: decide.record_drift(state, found), "record the drift")
        drift = next((one for one in recorded if isinstance(one, DriftDetected)), None)
        try:
            if drift is not None:
                await act_on(self._state, drift)
        except ActivityError as error:
            return ObservedAnswer(events, drift, str(said(error)))
        return ObservedAnswer(events, drift)

    @workflow.query(name="versions", description="Every version, as it was published and as it stands")
    def versions(self) -> tuple[VersionRow, ...]:
        return tuple(VersionRow(one, self._state.standing[one.version]) for one in self._state.versions)

    @workflow.query(name="active", description="Which version serves, and which one is tried on whom")
    def active(self) -> Serving:
        return serving(self._state)

    @workflow.query(name="serving_on", description="Which version a node serves, by the node's name")
    def serving_on(self, node: str) -> Version | None:
        name = version_for(self._state, node)
        return version_of(self._state.version(name)) if name else None

    async def _told(self, decision: Decision, summary: str) -> tuple[str, ...]:
        await workflow.wait_condition(lambda: self._ready)
        self._updates += 1
        ids: list[str] = []
        await self._record(decision, summary, ids)
        return tuple(ids)

    def _check(self, decision: Decision) -> None:
        # What is being written may be what the caller has seen on the log already: it is checked then.
        if self._ready and not self._recording.writing:
            decision(self._state)

    async def _record(
        self, decision: Decision, summary: str, ids: list[str] | None = None
    ) -> list[ModelEvent]:
        async with self._opening:
            if self._state.events:
                events = await self._recording.record(decision, summary)
            else:  # a keeper that was ended and begins at 1 again would fork the stream
                first = self._recording.state
                events = await self._recording.open(
                    lambda draft, at: draft.events(decision(first), at), summary
                )
        if ids is not None:
            ids.extend(event.id for event in events)
        if events:
            self._show()
        return [event.data for event in events]  # type: ignore[misc] # what was decided

    def _show(self) -> None:
        workflow.set_current_details(model_text.details(self._state))
        status = "canary" if self._state.canary else "serving"
        workflow.upsert_search_attributes([names.KIND.value_set("model"), names.STATUS.value_set(status)])
