"""How a cycle's releases are charged: under which ids, in which parts. An audit looks for just these."""

import hashlib
from collections.abc import Collection

from domain.learning.budget.commands import MAX_SUBJECTS, Charge
from domain.learning.mechanism import Mechanism
from domain.learning.policy import PrivacySpec


def attempt_id(cycle: str, round_: int, attempt: int, subjects: Collection[str]) -> str:
    """Of an attempt's charge; it ends in the digest of its subjects: only the same cohort is the same one."""
    digest = hashlib.sha256("\n".join(sorted(subjects)).encode()).hexdigest()
    return f"{cycle}/{round_}/{attempt}/{digest[:12]}"


def in_every_attempt(spec: PrivacySpec) -> bool:
    """Whether noise leaves the clients in each attempt, also in an abandoned one, and not once a round."""
    return spec.place == "local" or spec.method == "hybrid"


def paid_again(spec: PrivacySpec, attempt: int) -> bool:
    """Whether a charge for a whole cycle, which counts one release a round, leaves this one out."""
    return attempt > 1 and in_every_attempt(spec)


def charges(spec: PrivacySpec, name: str, subjects: Collection[str], mechanism: Mechanism) -> list[Charge]:
    """What `mechanism` costs `subjects`, by `spec`'s ledger; several where they are many, none of nobody."""
    ordered = sorted(subjects)
    return [
        Charge(
            ledger=spec.ledger,
            id=f"{name}/part-{start}" if start else name,
            subjects=tuple(ordered[start : start + MAX_SUBJECTS]),
            noise_multiplier=mechanism.noise_multiplier,
            sampling=mechanism.sampling,
            count=mechanism.count,
            delta=spec.delta,
            budget=spec.budget,
        )
        for start in range(0, len(ordered), MAX_SUBJECTS)
    ]


def cycle_of(name: str) -> str | None:
    """The cycle, if that is the id of a part of what a whole cycle was charged for before its first round."""
    cycle, _, rest = name.partition("/")
    return cycle if not rest or (rest.startswith("part-") and "/" not in rest) else None
