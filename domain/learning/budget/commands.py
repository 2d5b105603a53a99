"""What may be asked of a ledger."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

from domain.learning.mechanism import Mechanism
from domain.learning.policy import within
from domain.refusal import Refusal
from domain.stream import check_id
from domain.strict_json import printable

MAX_SUBJECTS = 5_000
"""In one charge, so that it stays one payload; more are charged in several."""
_CHARGE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,299}")


@dataclass(frozen=True, slots=True)
class Charge:
    """A release that is about to be made, and what it costs every one of `subjects`.

    `id` makes a repeat the same. `subjects`: one that is named more than once has that many clients in the
    release. The mechanism: Gaussian noise of `noise_multiplier` times the sensitivity on a sample of
    `sampling` of the subjects (1: all), `count` times. `budget`: the epsilon at `delta` that no subject may
    pass; a ledger keeps to what its first charge said.
    """

    ledger: str
    id: str
    subjects: tuple[str, ...]
    noise_multiplier: float
    sampling: float
    count: int
    delta: float
    budget: float

    def __post_init__(self) -> None:
        check_id(self.ledger, "ledger")
        if not _CHARGE_ID.fullmatch(self.id):
            raise Refusal("id", f"'{printable(self.id, 40)}' is not 1 to 300 letters, digits, _ . / or -")
        within("subjects", len(self.subjects), 1, MAX_SUBJECTS)
        for subject in self.subjects:
            check_id(subject, "subjects")
        within("delta", self.delta, 0, 0.1, above=True)
        within("budget", self.budget, 0, 1e6, above=True)
        _ = self.mechanism  # refuses noise, sampling and count by name

    @property
    def mechanism(self) -> Mechanism:
        """What every subject that is named once pays for."""
        return Mechanism(self.noise_multiplier, self.sampling, self.count)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that it says, by which a repeat is told from another charge of its id."""
        numbers = (self.noise_multiplier, self.sampling, self.count, self.delta, self.budget)
        said = [self.ledger, self.id, *map(repr, numbers)]
        said += [f"{subject}*{times}" for subject, times in sorted(Counter(self.subjects).items())]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Charged:
    """The answer: nobody was charged unless all could be.

    `epsilon`: the largest that any of the subjects has spent afterwards. `refused`: who could not, with the
    epsilon it would have come to; the first 20 of them, `refusals` in all.
    """

    granted: bool
    epsilon: float
    refused: tuple[tuple[str, float], ...] = ()
    refusals: int = 0
