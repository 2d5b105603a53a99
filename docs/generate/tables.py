"""`docs/reference/tables.md`: tables and columns from the SQLAlchemy metadata, their meaning from here."""

from collections.abc import Iterator

from sqlalchemy import Column, Index, Table
from sqlalchemy.dialects import postgresql

from projections.projection import owned_tables
from projections.registry import PROJECTIONS
from projections.tables import METADATA

_INTRO = """\
# Tables

<!-- Made by `make docs` from the tables in `projections/`. Change those, not this page. -->

Postgres holds nothing that cannot be made again from the log. Read these tables as you like; write to none of
them: `moot audit verify` names every row that differs from the log. `moot migrate` makes them, and
`moot rebuild` folds the log into new ones beside them and swaps. Texts sort by their bytes. `state` is `json`
and not `jsonb`, so that its text can be hashed.
"""
_STAMPS = {
    "stream": "The stream that is folded into this row.",
    "version": "The number of the last event folded.",
    "last_id": "Its id.",
    "partition": "The partition of the stream's topic.",
    "first_offset": "Offset of the stream's first event.",
    "last_offset": "Offset of the last event folded.",
}
_PLACE = {"topic": "Logical topic, without the prefix.", "partition": "Its partition."}
_SUMS = {
    "topic": "The field of questions.",
    "voter": "Who voted.",
    "right_weight": "Weight of the rulings it agreed with in round 1; later rulings weigh more.",
    "wrong_weight": "Weight of those it did not.",
    "brier": "Sum of squared errors of its stated confidence, weighted alike.",
    "stated": "Weight of the rulings for which it stated one.",
    "rulings": "How many rulings are in the sums.",
    "equivocations": "How often it gave two different ballots in one round.",
}
ABOUT: dict[str, str] = {
    "deliberation": "One row for each deliberation, items of dockets included.",
    "reputation": "Every voter's record by topic, as sums over final rulings (exact integers, fixed point).",
    "docket": "One row for each table decided by `moot decide`; its items are deliberations.",
    "conflict_case": "One row for each conflict case.",
    "case_reputation": "What the outcomes of cases say of voters, summed as in `reputation`; both are added.",
    "learning_cycle": "One row for each federated learning cycle, with its rounds.",
    "model": "One row for each model, with every version and how it stands.",
    "fleet_host": "One row for each node process that ever announced clients.",
    "budget_ledger": "One row for each privacy ledger.",
    "budget_subject": "What each data subject has spent of its privacy budget, summed up.",
    "context_entry": "What each region has of the shared context: one row for each region and key.",
    "discard": "Which parked records were given up, by whom and why.",
    "dead_letter": "Records that could not be applied, and those that wait behind them.",
    "projection_offset": "The fence: how far each projection, and the sealer, has committed each partition.",
    "merkle_tile": "The audit's Merkle trees, as C2SP tlog-tiles of 256 hashes.",
    "checkpoint": "Signed tree heads (C2SP tlog-checkpoint).",
    "signing_key": "The keys that sign checkpoints, one after another.",
    "sealing_stopped": "Logs that are sealed no more, and why; the topic `checkpoints` stands for all.",
}
MEANINGS: dict[str, dict[str, str]] = {
    "budget_ledger": _STAMPS
    | {
        "ledger": "The ledger's name.",
        "budget": "The epsilon that none of its subjects may pass.",
        "delta": "The delta at which epsilons are stated.",
        "charges": "Charges granted.",
        "refusals": "Charges refused.",
        "largest": "The most that any subject has spent.",
        "opened_at": "When the first charge came.",
        "charged_at": "When the last one was decided.",
        "state": "A charge that is told in several events and not whole yet.",
    },
    "budget_subject": {
        "ledger": "The ledger's name.",
        "subject": "Whose data it is.",
        "spent": "Epsilon spent, at the ledger's delta, in billionths: an exact integer.",
        "releases": "In how many releases its data took part, or may have.",
    },
    "model": _STAMPS
    | {
        "active": "The version that serves; null where none does.",
        "canary": "The version that is tried; null where none is.",
        "versions": "How many there are.",
        "drifts": "How many drifts were seen.",
        "changed_at": "Time of the last event.",
        "state": "Its versions with their standing, the drift policy and the newest losses.",
    },
    "deliberation": _STAMPS
    | {
        "status": "`open`, `consensus`, `mediated`, `ruled_by_person`, `unresolved` or `withdrawn`.",
        "question": "The question.",
        "topic": "The field that reputations are kept for.",
        "region": "The region it belongs to.",
        "docket": "The docket whose item it is; null for a question of its own.",
        "item": "The item's name in the docket's table.",
        "consensus": "The decision; null where there is none.",
        "agreement": "Share of the cast weight behind the leading choice, 0 to 1, of the last round.",
        "rounds": "Rounds closed so far.",
        "opened_at": "Time of the first event.",
        "decided_at": "Time of the decision.",
        "state": "Options, policy, panel, counted ballots, rounds and outcome, without ballots' reasons.",
    },
    "reputation": _SUMS,
    "case_reputation": _SUMS,
    "docket": _STAMPS
    | {
        "status": "`open`, `deciding`, `closed` or `withdrawn`.",
        "question": "What the voters answered.",
        "topic": "The field that reputations are kept for.",
        "items": "The number of items.",
        "decided": "How many are decided.",
        "opened_at": "Time of the first event.",
        "closed_at": "Time of the last.",
        "state": "Table, policy, model, and how many items came to each status.",
    },
    "conflict_case": _STAMPS
    | {
        "status": "What it waits for, as `panel`, `appealable`, `person`; then `resolved` or `unresolved`.",
        "question": "The question.",
        "kind": "What kind of conflict it is.",
        "layer": "The layer of the context whose rule level 1 applies.",
        "region": "The home region.",
        "topic": "The field that reputations are kept for.",
        "severity": "How much hangs on it, 0 to 1.",
        "critical": "Whether a person has the last word.",
        "level": "The level that hears it or ruled, 1 to 4, or the next to begin.",
        "initial_level": "The level on which it began.",
        "choice": "The position that the last word took; null where a rule merged them, or there is none.",
        "resolution": "What the last word says; null while there is none.",
        "context_layer": "The layer of the entry in dispute; null where the case is about none.",
        "context_key": "The entry's key.",
        "dots": "The writes that the ruling covers, before there is one those that the case holds.",
        "opened_at": "Time of the first event.",
        "closed_at": "Time of the last word, or of the failure of all levels.",
        "state": "The events of the case, as they were written.",
    },
    "learning_cycle": _STAMPS
    | {
        "status": "`training`, `closed`, `failed` or `withdrawn`.",
        "model": "The model that is trained.",
        "trainer": "What trains it.",
        "strategy": "How updates become a model.",
        "privacy": "The privacy method.",
        "round": "The last round that was opened; 0 before the first.",
        "rounds": "How many rounds were asked for.",
        "loss": "Of the last aggregated round.",
        "accuracy": "Of the last aggregated round.",
        "epsilon": "What the accountant said after the last aggregated round; null where there is none.",
        "sent_bytes": "What travelled so far in aggregated rounds.",
        "raw_bytes": "What the rows themselves would have weighed.",
        "published": "The version that the model was published as.",
        "digest": "Of the last aggregated model.",
        "privacy_level": "The weakest guarantee that held for an update; null until the cycle is closed.",
        "opened_at": "Time of the first event.",
        "closed_at": "Time of the last.",
        "state": "The opening, every attempt of every round, the clients of the open one, and the end.",
    },
    "fleet_host": _STAMPS
    | {
        "host": "The node process.",
        "region": "Where it is.",
        "clients": "How many clients its last whole announcement names.",
        "announced_at": "When that announcement was whole; null before the first.",
        "left_at": "When it ended in order; null while it has announced itself since.",
        "state": "The parts of that announcement, of one that is not whole yet, and how the host left.",
    },
    "context_entry": _STAMPS
    | {
        "version": "How many writes are folded.",
        "region": "The region whose copy it is.",
        "layer": "The layer.",
        "key": "The key.",
        "standing": "`single`, or of siblings `settled` by the layer's rule or `undecided`, or `expired`.",
        "dots": "What `--if-version` takes: the dots of the siblings, or `none`.",
        "siblings": "The writes that stand, the latest first, each as it was written.",
        "resolution": "What the rule made of the siblings, and why; null where there is one write, or none.",
        "causality": "The dots that some write had seen, and those that arrived: each a vector and the rest.",
        "ancestors": "Replaced writes that a merge may still need.",
        "newest_wall": "Unix milliseconds of the newest clock that arrived, by which writes expire.",
        "newest_logical": "Its second part.",
        "expires_at_ms": "Unix milliseconds at which the first of the writes is over; null for never.",
    },
    "discard": _STAMPS
    | {
        "dead_letter": "The parked record's id.",
        "discarded_topic": "The topic it lies on.",
        "discarded_partition": "The partition.",
        "discarded_offset": "The offset.",
        "discarded_stream": "The stream that goes on without it.",
        "who": "Who gave it up.",
        "why": "Why.",
        "discarded_at": "When.",
    },
    "dead_letter": _PLACE
    | {
        "id": "Topic, partition and offset: `decisions.0.1234`.",
        "projection": "The projection that could not apply it.",
        "log_offset": "Its offset.",
        "stream": "Its stream; null where the key is none.",
        "version": "Its number in the stream, where it could be read.",
        "event_id": "Its id, where it could be read.",
        "kind": "What is wrong, in one word; `behind`: nothing, it waits for an earlier record.",
        "reason": "What is wrong, in words; never what the record contains.",
        "recorded_at": "The record's time.",
    },
    "projection_offset": _PLACE
    | {
        "projection": "The projection's name, or `sealer`.",
        "next_offset": "The first offset that is not committed yet.",
        "epoch": "Raised by whoever changes rows beside the projector, which then reads its state again.",
        "newest_at": "Time of the newest record committed.",
        "last_leaf": "leaf hash (RFC 6962) of the record before `next_offset`: how it knows the log again",
        "refused": "why it goes no further: the log is another one",
        "rules": "a digest of the rules by which its rows were made, empty where the log alone makes them",
    },
    "merkle_tile": _PLACE
    | {
        "level": "0 for the hashes of records, 1 for those of whole tiles of level 0, and so on.",
        "tile": "The tile's number in its level.",
        "hashes": "Up to 256 hashes of 32 bytes.",
        "first_offset": "Offset of its first record; level 0 only.",
        "last_offset": "Offset of its last record; level 0 only.",
    },
    "checkpoint": _PLACE
    | {
        "size": "How many records the tree head covers.",
        "root": "The Merkle root, 32 bytes.",
        "note": "The signed note.",
        "sealed_at": "When it was signed.",
        "version": "Its event's number in its stream on the topic `checkpoints`.",
        "published": "Whether that event is known to be there.",
    },
    "signing_key": {
        "number": "1 for the first key; the last one signs.",
        "note": "The signed statement by which it began.",
        "announced_at": "When that was.",
        "published": "Whether its event is known to be on the topic `checkpoints`.",
    },
    "sealing_stopped": _PLACE
    | {
        "reason": "What the sealer found.",
        "stopped_at": "When.",
    },
}


def page() -> str:
    """The reference as Markdown."""
    owners = {table.name: one.name for one in PROJECTIONS for table in owned_tables(one)}
    return "\n".join([_INTRO, *(line for name in ABOUT for line in _section(METADATA.tables[name], owners))])


def _section(table: Table, owners: dict[str, str]) -> Iterator[str]:
    owner = f" Owned by the projection `{owners[table.name]}`." if table.name in owners else ""
    yield f"## {table.name}\n\n{ABOUT[table.name]}{owner}\n"
    yield "| column | type | meaning |\n|---|---|---|"
    for column in table.columns:
        yield f"| `{column.name}` | {_type(column)} | {MEANINGS[table.name][column.name]} |"
    key = ", ".join(f"`{column.name}`" for column in table.primary_key.columns)
    yield f"\nPrimary key: {key}.{_indexes(table)}\n"


def _type(column: Column[object]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy's dialects have no types
    name = column.type.compile(dialect=dialect).split(" COLLATE")[0].lower()
    short = {"timestamp with time zone": "timestamptz", "double precision": "float8"}.get(name, name)
    return f"{short}, may be null" if column.nullable else short


def _indexes(table: Table) -> str:
    indexes: list[Index] = sorted(table.indexes, key=lambda index: str(index.name))
    named = [
        f"`{index.name}` on {', '.join(f'`{column.name}`' for column in index.columns)}" for index in indexes
    ]
    return f" Index: {'; '.join(named)}." if named else ""
