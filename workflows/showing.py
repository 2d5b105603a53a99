"""What Temporal's UI, lists and metrics tell of a case."""

from temporalio import workflow

from domain.conflict.state import CaseState
from workflows import conflict_text, names


def show(state: CaseState, unapplied: str | None = None) -> None:
    """The live picture; `unapplied`: why the ruling is not written into the shared context."""
    workflow.set_current_details(conflict_text.table(state, unapplied))
    workflow.upsert_search_attributes(
        [
            names.KIND.value_set("conflict"),
            names.STATUS.value_set(state.status),
            names.LEVEL.value_set(state.level),
            names.REGION.value_set(state.opened.regions[0]),
        ]
    )


def measure(state: CaseState) -> None:
    """How long the case took, on the metrics that the worker serves; a replay counts nothing."""
    labels = {"conflict_type": state.opened.kind, "resolution_level": state.level}
    meter = workflow.metric_meter().with_additional_attributes(labels)
    told = "from a case's opening to its end"
    took = workflow.now() - (state.opened_at or workflow.now())
    meter.create_histogram_timedelta(names.RESOLUTION_TIME, told).record(took)
