"""`docs/reference/inputs.md`: what people and programs may hand in, from the dataclasses that read it."""

import json
from collections.abc import Iterator
from dataclasses import MISSING, fields
from dataclasses import Field as DataclassField
from typing import Any, get_type_hints

from docs.generate.events import holds
from docs.generate.meaning import meaning, parts, summary
from domain.conflict.commands import Appeal, AskAnnulment, GiveVerdict, GrowCase, OpenCase
from domain.consensus.commands import CastBallot, OpenDeliberation, Rule
from domain.consensus.docket import DecideDocketRequest
from domain.learning.commands import RunCycle
from domain.learning.trainers.settings import COMMON, Settings
from domain.learning.versions.commands import Observe, PromoteVersion, RollBack, SetDriftPolicy

_INTRO = """\
# Inputs

<!-- Made by `make docs` from the dataclasses in `domain/`. Change those, not this page. -->

Every input is one JSON object of at most 256 KiB, the same whether it comes from `moot`, the Temporal UI, the
`temporal` CLI or a client of your own. An unknown field, a key that occurs twice, a number written as text,
NaN, or nesting without end is refused in one line that names the field.

| what | goes to | as |
|---|---|---|
| [OpenDeliberation](#opendeliberation) | `moot consensus start`, or the workflow `ReachConsensus` | input |
| [CastBallot](#castballot) | the workflow `consensus/<id>` | update `cast_ballot` |
| [Rule](#rule) | the workflow `consensus/<id>` | update `rule` |
| [DecideDocketRequest](#decidedocketrequest) | the workflow `DecideDocket`; `moot decide` makes it | input |
| [OpenCase](#opencase) | `moot conflict open`, or the workflow `ResolveConflict` | input |
| [Appeal](#appeal) | the workflow `conflict/<id>` | update `appeal` |
| [GiveVerdict](#giveverdict) | the workflow `conflict/<id>` | update `verdict` |
| [AskAnnulment](#askannulment) | the workflow `conflict/<id>` | update `annul` |
| [GrowCase](#growcase) | the workflow `conflict/<id>` | update `grow` |
| [RunCycle](#runcycle) | `moot learn start`, or the workflow `RunLearningCycle` | input |
| [PromoteVersion](#promoteversion) | the workflow `model/<model>` | update `promote` |
| [RollBack](#rollback) | the workflow `model/<model>` | update `roll_back` |
| [Observe](#observe) | the workflow `model/<model>` | update `observe` |
| [SetDriftPolicy](#setdriftpolicy) | the workflow `model/<model>` | update `set_drift_policy` |

The task queue is `folkmoot`. `ReachConsensus` answers the queries `state`, `tally` and `explain`,
`DecideDocket` answers `progress`, `ResolveConflict` and `RunLearningCycle` answer `state` and `explain`,
the workflow `model/<model>` answers `versions` and `active`.
"""
_OWN = {
    "OpenDeliberation.id": "The deliberation's id: letters, digits, `_` and `-`, at most 128; no dot.",
    "OpenDeliberation.options": "What may be answered, 2 to 100, each once.",
    "OpenDeliberation.voters": "The candidates for the panel, each once.",
    "OpenDeliberation.context": "Names of shared context that the voters are to read.",
    "OpenDeliberation.evidence": "References to evidence, handed to reasoners and the mediator.",
    "Voter.id": "Who votes.",
    "Voter.kind": "Where its ballots come from.",
    "Voter.ballots": "A recorded voter's ballots, at most one a round.",
    "Voter.expertise": "Topics it knows; a smaller panel prefers voters that know the deliberation's topic.",
    "Voter.weight": "Its stake; read only under the fault model `stake`.",
    "Voter.node": "For a reasoner, the node that is asked.",
    "CastBallot.round": "Refused unless this round is open; null for the round that is.",
    "CastBallot.choice": "An option of the open round; null abstains.",
    "Rule.choice": "One of the proposal's options, also one that left after a round.",
    "Rule.reason": "Why; goes on the record.",
    "Rule.person": "Who rules; goes on the record.",
    "DecideDocketRequest.id": "The docket's id; no dot.",
    "DecideDocketRequest.table": "The table in the artifact store; this or `ballots`.",
    "DecideDocketRequest.ballots": "The table's rows; this or `table`.",
    "ArtifactRef.sha256": "SHA-256 of the bytes in lower-case hex; they are found by it.",
    "ArtifactRef.bytes": "How many they are.",
    "RecordedLabel.item": "What is labelled.",
    "RecordedLabel.choice": "The label.",
    "OpenCase.id": "The case's id: letters, digits, `_` and `-`, at most 100; no dot.",
    "OpenCase.positions": "What the parties claim, 2 to 40.",
    "OpenCase.evidence": "Pieces that positions and verdicts may cite.",
    "OpenCase.kind": "What kind of conflict it is; the decision table reads it.",
    "OpenCase.severity": "How much hangs on it, 0 to 1; the decision table reads it.",
    "OpenCase.critical": "Whether it begins at level 4 and a person has the last word.",
    "OpenCase.context": "The entry of the shared context that is in dispute.",
    "OpenCase.policy": "Windows, panels and deadlines, frozen.",
    "GrowCase.positions": "Further positions; one that stands there already is passed over.",
    "GrowCase.evidence": "Further pieces.",
    "Appeal.party": "The party that appeals.",
    "Appeal.grounds": "Why; goes on the record.",
    "GiveVerdict.verdict": "The id of a position that level 4 heard.",
    "GiveVerdict.reason": "Why; goes on the record.",
    "GiveVerdict.person": "Who decides; goes on the record.",
    "AskAnnulment.party": "The party that asks.",
    "AskAnnulment.ground": "One of the five.",
    "AskAnnulment.statement": "What is wrong; goes on the record.",
    "StrategySpec.name": "One of the [strategies](../explanation/strategies.md).",
    "StrategySpec.settings": "Its [own](../explanation/strategies.md); defaults hold for those left out.",
    "PrivacySpec.method": "One of the five [methods](../explanation/privacy.md).",
    "TrainerSpec.name": "A trainer that the nodes and the orchestrator have.",
    "TrainerSpec.settings": "Its own; below are those of the [built-in trainers](#built-in-trainers).",
    "PromoteVersion.version": "Which one, as `v1.1`.",
    "PromoteVersion.reason": "Why; goes on the record.",
    "PromoteVersion.person": "Who decides; goes on the record.",
    "RollBack.reason": "Why; goes on the record.",
    "RollBack.person": "Who decides; goes on the record.",
    "RollBack.to": "The version that shall serve; null for the one that served before.",
    "Observe.losses": "Finite numbers, oldest first, 1 to 1,000 of them.",
    "Observe.version": "Whose they are, refused where another one serves; null for the one that does.",
    "SetDriftPolicy.policy": "What follows, and how sure one must be.",
    "SetDriftPolicy.reason": "Why; goes on the record.",
    "SetDriftPolicy.person": "Who decides; goes on the record.",
}
ROOTS = (
    OpenDeliberation,
    CastBallot,
    Rule,
    DecideDocketRequest,
    OpenCase,
    Appeal,
    GiveVerdict,
    AskAnnulment,
    GrowCase,
    RunCycle,
    PromoteVersion,
    RollBack,
    Observe,
    SetDriftPolicy,
)


def page() -> str:
    """The reference as Markdown."""
    every = list(dict.fromkeys(part for root in ROOTS for part in parts(root)))
    return "\n".join([_INTRO, *(line for cls in every for line in _section(cls)), *_trainers()])


def said(cls: type, field: str) -> str:
    """What the field means.

    Raises:
        LookupError: nobody says.
    """
    return _OWN.get(f"{cls.__name__}.{field}") or meaning(cls, field)


def _section(cls: Any) -> Iterator[str]:
    hints = get_type_hints(cls)
    yield f"## {cls.__name__}\n\n{summary(cls)}\n"
    yield "| field | holds | default | meaning |\n|---|---|---|---|"
    for field in fields(cls):
        meant = said(cls, field.name).replace("|", "\\|")
        yield f"| `{field.name}` | {holds(hints[field.name])} | {_default(field)} | {meant} |"
    yield ""


def _trainers() -> Iterator[str]:
    yield "## Built-in trainers\n\nA setting that the trainer does not know is refused.\n"
    yield "| `trainer.settings` | of | holds | default | meaning |\n|---|---|---|---|---|"
    hints = get_type_hints(Settings)
    for field in fields(Settings):
        of = "both" if field.name in COMMON else "`mlp`"
        default = "`64`" if field.name == "hidden" else _default(field)
        kind = "whole number, or text" if field.name == "hidden" else holds(hints[field.name])
        yield f"| `{field.name}` | {of} | {kind} | {default} | {said(Settings, field.name)} |"
    yield "\nThey are `logistic-regression` and `mlp`; rows hold `x` (features) and `y` (a class, from 0)."


def _default(field: "DataclassField[Any]") -> str:
    if field.default is not MISSING:
        return f"`{_json(field.default)}`"
    if field.default_factory is MISSING:
        return "required"
    return "`{}`" if field.default_factory is dict else "its own defaults"


def _json(value: Any) -> str:
    if isinstance(value, tuple):
        return "[]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"
