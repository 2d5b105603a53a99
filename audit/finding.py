"""One thing that is not as it was sealed."""

from dataclasses import dataclass

from domain.strict_json import printable


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: `topic/partition`, a table or a projection.

    `offset` is the first record at fault, None where no single record is.
    """

    where: str
    problem: str
    offset: int | None = None

    def __str__(self) -> str:
        place = self.where if self.offset is None else f"{self.where} offset {self.offset}"
        return printable(f"{place}: {self.problem}", 500)
