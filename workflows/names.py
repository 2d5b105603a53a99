"""Names under which Temporal stores our work; pinned, because histories and scripts hold them."""

from typing import Any

from temporalio.common import SearchAttributeKey

from domain.stream import (
    budget_stream,
    conflict_stream,
    consensus_stream,
    docket_stream,
    fleet_stream,
    learning_stream,
    model_stream,
)

__all__ = [
    "budget_stream",
    "conflict_stream",
    "consensus_stream",
    "docket_stream",
    "fleet_stream",
    "learning_stream",
    "model_stream",
]  # a workflow that writes a stream has its name as its id

TASK_QUEUE = "folkmoot"
SOURCE = "folkmoot/workflows"

REACH_CONSENSUS = "ReachConsensus"
DECIDE_DOCKET = "DecideDocket"
RESOLVE_CONFLICT = "ResolveConflict"
RUN_LEARNING_CYCLE = "RunLearningCycle"
TRAIN_SHARD = "TrainShard"
ANNOUNCE_HOST = "AnnounceHost"
KEEP_BUDGET = "KeepBudget"
KEEP_MODEL = "KeepModel"
WORKFLOWS = (
    REACH_CONSENSUS,
    DECIDE_DOCKET,
    RESOLVE_CONFLICT,
    RUN_LEARNING_CYCLE,
    TRAIN_SHARD,
    ANNOUNCE_HOST,
    KEEP_BUDGET,
    KEEP_MODEL,
)

CAST_BALLOT = "cast_ballot"
RULE = "rule"
APPEAL = "appeal"
VERDICT = "verdict"
ANNUL = "annul"
GROW = "grow"
CHARGE = "charge"
PUBLISH = "publish"
JUDGE = "judge"
PROMOTE = "promote"
ROLL_BACK = "roll_back"
OBSERVE = "observe"
SET_DRIFT_POLICY = "set_drift_policy"

TRAIN_ROUND = "train_round"
"""The activity that trains for a host's members of a cohort; its result holds a `Report` for each."""

RESOLUTION_TIME = "conflict_resolution_time"
"""A metric; labels conflict_type, resolution_level."""

KIND = SearchAttributeKey.for_keyword("FolkmootKind")
REGION = SearchAttributeKey.for_keyword("FolkmootRegion")
STATUS = SearchAttributeKey.for_keyword("FolkmootStatus")
LEVEL = SearchAttributeKey.for_int("FolkmootLevel")
SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[Any], ...] = (KIND, REGION, STATUS, LEVEL)


def node_queue(node: str) -> str:
    """The task queue on which the node `node` does its local reasoning and training."""
    return f"node.{node}"
