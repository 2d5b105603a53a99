"""What a replay names: the first event of a stream that is not as it should be."""

from dataclasses import dataclass

from domain.strict_json import printable


@dataclass(frozen=True, slots=True)
class Divergent:
    """The first event of a stream that those before it do not compel, or that its workflow did not write."""

    stream: str
    event_id: str
    type: str
    problem: str

    def __str__(self) -> str:
        return printable(f"{self.stream}: event {self.event_id} ({self.type}): {self.problem}", 500)
