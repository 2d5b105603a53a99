"""The rules of a case, frozen into its opening event."""

from dataclasses import dataclass
from typing import Literal

from domain.consensus.policy import MAX_PERSON_SECONDS, MAX_ROUND_SECONDS, MAX_ROUNDS, MAX_SEED, Weighting
from domain.refusal import Refusal

AfterDeadline = Literal["hold", "uphold", "unresolved"]
AskPerson = Literal["critical", "undecided"]

MAX_APPEALS = 3
_LEAST_REMINDER = 1.0
_RANGES: tuple[tuple[str, float, float, bool], ...] = (
    ("local_appeal_seconds", 0, MAX_PERSON_SECONDS, False),
    ("regional_appeal_seconds", 0, MAX_PERSON_SECONDS, False),
    ("global_appeal_seconds", 0, MAX_PERSON_SECONDS, False),
    ("annulment_seconds", 0, MAX_PERSON_SECONDS, False),
    ("appeals_each", 0, MAX_APPEALS, False),
    ("threshold", 0, 1, True),
    ("quorum", 0, 1, False),
    ("max_rounds", 1, MAX_ROUNDS, False),
    ("round_seconds", 0, MAX_ROUND_SECONDS, True),
    ("mediator_confidence", 0, 1, False),
    ("person_seconds", 0, MAX_PERSON_SECONDS, True),
    ("reminder_seconds", _LEAST_REMINDER, MAX_PERSON_SECONDS, False),
    ("seed", 0, MAX_SEED, False),
)
"""Field, lowest and highest value, and whether the lowest itself is too low."""


@dataclass(frozen=True, slots=True)
class ConflictPolicy:
    """How a case is decided. All times are in seconds.

    `local_`, `regional_`, `global_appeal_seconds`: how long a ruling of level 1, 2, 3 is open to appeal;
    0 closes the window at once. `annulment_seconds`: how long a ruling of level 4 is open to annulment.
    `appeals_each`: how often one party may appeal in one case. `threshold`, `quorum`, `max_rounds`,
    `round_seconds`, `weighting`: each panel's own; two of three pass the default threshold. A mediator below
    `mediator_confidence` has given no verdict. `ask_person`: of critical cases only, or also where level 4
    decided nothing. The first reminder comes after `reminder_seconds`, each further one after twice as long.
    `after_deadline`, once `person_seconds` are over: `hold` goes on waiting, `uphold` lets the last ruling
    stand, `unresolved` ends the case without one.
    """

    local_appeal_seconds: float = 3_600.0
    regional_appeal_seconds: float = 86_400.0
    global_appeal_seconds: float = 259_200.0
    annulment_seconds: float = 259_200.0
    appeals_each: int = 1
    threshold: float = 0.66
    quorum: float = 0.6
    max_rounds: int = 3
    round_seconds: float = 3_600.0
    weighting: Weighting = "reputation"
    mediator_confidence: float = 0.5
    ask_person: AskPerson = "critical"
    person_seconds: float = 604_800.0
    reminder_seconds: float = 86_400.0
    after_deadline: AfterDeadline = "hold"
    seed: int = 0

    def __post_init__(self) -> None:
        for field, low, high, above in _RANGES:
            value = getattr(self, field)
            if not (low < value <= high if above else low <= value <= high):  # False for NaN, too
                raise Refusal(field, f"{value} is outside {'above ' if above else ''}{low:g} to {high:g}")
        if self.weighting not in ("equal", "reputation"):
            raise Refusal("weighting", f"{self.weighting} learns from many items; use equal or reputation")
