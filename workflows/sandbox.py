"""The sandbox that histories are replayed in."""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

# Imported once for the process and not once per workflow (5 to 9 ms each): none of them keeps state that a
# workflow could see, and `domain` reads no clock.
PASSED_THROUGH = (
    "activities",
    "annotated_types",
    "domain",
    "msgspec",
    "pydantic",
    "pydantic_core",
    "workflows.canaries",
    "workflows.capacity",
    "workflows.conflict_text",
    "workflows.consensus_text",
    "workflows.docket_text",
    "workflows.drifts",
    "workflows.entrance",
    "workflows.faults",
    "workflows.hearings",
    "workflows.model_answers",
    "workflows.model_text",
    "workflows.names",
    "workflows.payloads",
    "workflows.recording",
    "workflows.reputations",
    "workflows.rounds",
)


def runner() -> SandboxedWorkflowRunner:
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )
