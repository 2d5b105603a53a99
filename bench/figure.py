"""One measured figure beside what was asked of it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """`target` is a bound: at least (`>=`) or at most (`<=`) that; None where a figure is only reported."""

    name: str
    value: float
    unit: str
    target: float | None = None
    bound: Literal[">=", "<="] = ">="
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.bound == ">=" else self.value <= self.target
