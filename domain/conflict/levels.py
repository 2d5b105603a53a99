"""The four levels, and on which of them a case begins: one decision table, as data."""

from dataclasses import dataclass
from typing import Literal

from domain.conflict.case import Case, Kind, Layer
from domain.refusal import Refusal

FINAL = 4
ANNULMENT_SEATS = 3
"""ICSID Convention, Art. 52(3): an ad hoc committee of three, none from the tribunal."""

Rule = Literal["last_writer_wins", "semantic_merge", "regional_preference", "temporal_merge"]


class UnknownLevel(Refusal):
    """There are four levels and no other."""


@dataclass(frozen=True, slots=True)
class Level:
    """`seats` is the size of its panel; 0 where a rule decides. `regions`: how many must have a seat."""

    number: int
    name: str
    seats: int
    regions: int = 0


LEVELS = (
    Level(1, "local node", 0),
    Level(2, "regional consensus", 3, 1),
    Level(3, "global arbitration", 7, 2),
    Level(4, "supreme court", 15),
)

RULE_OF_LAYER: dict[Layer, Rule] = {
    "immediate": "last_writer_wins",
    "situational": "semantic_merge",
    "cultural": "regional_preference",
    "historical": "temporal_merge",
}
"""What level 1 applies."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a case that meets every condition begins at `level`.

    None stands for any. `severity` is [low, high), the top band with its end.
    """

    level: int
    why: str
    critical: bool | None = None
    kinds: frozenset[Kind] | None = None
    several_regions: bool | None = None
    severity: tuple[float, float] = (0.0, 1.0)

    def holds(self, case: Case) -> bool:
        low, high = self.severity
        return (
            self.critical in (None, case.critical)
            and (self.kinds is None or case.kind in self.kinds)
            and self.several_regions in (None, len(case.all_regions) > 1)
            and low <= case.severity
            and (case.severity < high or high == 1.0)
        )


RULED: frozenset[Kind] = frozenset({"concurrent_write", "temporal", "regional"})
"""Kinds that a rule may settle: they are about order and place."""
JUDGED: frozenset[Kind] = frozenset({"contradiction", "policy"})
"""Kinds that no rule may settle: they are about what is true or wanted."""

TABLE = (
    Row(4, "a critical case is decided by the last instance and a person", critical=True),
    Row(1, "a rule settles it", False, RULED, None, (0.0, 0.5)),
    Row(2, "too severe for a rule alone", False, RULED, False, (0.5, 0.8)),
    Row(3, "too severe for a rule alone, and no region judges another", False, RULED, True, (0.5, 0.8)),
    Row(2, "no rule may settle what must be judged", False, JUDGED, False, (0.0, 0.8)),
    Row(3, "what must be judged, and no region judges another", False, JUDGED, True, (0.0, 0.8)),
    Row(3, "so severe that others than the region's own judge", critical=False, severity=(0.8, 1.0)),
)
"""Exactly one row holds for every case."""


def level(number: int) -> Level:
    """The level of this number.

    Raises:
        UnknownLevel: `Unknown resolution level: N`.
    """
    if not 1 <= number <= FINAL:
        raise UnknownLevel("", f"Unknown resolution level: {number}")
    return LEVELS[number - 1]


def initial_level(case: Case, wanted: int | None = None) -> tuple[int, str]:
    """Where a case begins and why: the row of `TABLE` that holds for it, or the level that was `wanted`.

    Raises:
        UnknownLevel: `wanted` is none of the four.
        Refusal: `wanted` would take a critical case past its person.
    """
    row = next(row for row in TABLE if row.holds(case))
    if wanted is None:
        return row.level, row.why
    if level(wanted).number < FINAL and case.critical:
        raise Refusal("level", f"{wanted} is below {FINAL}, where every critical case begins; leave it out")
    return wanted, f"asked for; the table says {row.level}: {row.why}"
