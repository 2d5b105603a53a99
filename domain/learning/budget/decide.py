"""Whether a release may be made: all of its subjects can pay, or nobody does."""

from collections import Counter
from collections.abc import Iterable, Mapping

from domain.learning.budget.commands import Charge, Charged
from domain.learning.budget.events import (
    BudgetCharged,
    BudgetEvent,
    BudgetOpened,
    BudgetRefused,
    Overspent,
    Spent,
)
from domain.learning.budget.state import ROUNDING, Account, Ledger
from domain.learning.mechanism import Composition, compose, repeated
from domain.refusal import Refusal

PART = 1_000
"""Subjects in one event, so that it stays below 256 KiB."""
TOLD = 20
MAX_NAMES = 300_000
"""Characters of all subjects' names, which travel whole when the workflow goes on in a new run."""

_Kind = tuple[Account, int]
"""What was spent before, and how many clients are in the release: whoever is alike in both, pays alike."""


def answered(state: Ledger, charge: Charge) -> Charged | None:
    """The answer that a charge of this id was given, or None.

    Raises:
        Refusal: that one was for something else.
    """
    known = state.answers.get(charge.id)
    if known is None:
        return None
    if known.digest != charge.digest:
        raise Refusal("id", f"{charge.id} was charged for another release before; choose another id")
    return known.charged


def check(state: Ledger, charge: Charge) -> None:
    """Refuse a charge that this ledger cannot take, whatever its subjects have spent.

    Raises:
        Refusal: it names another budget or delta than the ledger has, or brings too many new subjects.
    """
    if state.opened is not None:
        for name in ("budget", "delta"):
            kept, asked = getattr(state.opened, name), getattr(charge, name)
            if kept != asked:
                raise Refusal(
                    name,
                    f"the ledger {charge.ledger} has {kept:g}, not {asked:g}; keep to it, or name another",
                )
    names = sum(map(len, state.accounts.keys() | set(charge.subjects)))
    if names > MAX_NAMES:
        raise Refusal(
            "subjects",
            f"{names} characters of names are too many, {MAX_NAMES} fit; have a ledger for each region",
        )


def compositions(state: Ledger, charge: Charge) -> tuple[Composition, ...]:
    """Everything, once, of which an epsilon must be known to decide the charge."""
    return tuple(sorted({_after(kind, charge) for kind in _kinds(state, charge)}))


def charge_budget(state: Ledger, charge: Charge, epsilons: Mapping[Composition, float]) -> list[BudgetEvent]:
    """Charge every subject of `charge`, or none of them; nothing for a charge that was answered before.

    Args:
        state: the ledger.
        charge: what is asked.
        epsilons: what each of `compositions(state, charge)` comes to, at the ledger's delta.

    Raises:
        Refusal: the charge was for something else before, or the ledger cannot take it.
    """
    if answered(state, charge) is not None:
        return []
    check(state, charge)
    opening = [] if state.opened else [BudgetOpened(charge.ledger, charge.budget, charge.delta)]
    kinds = _kinds(state, charge)
    spent = [
        Spent(tuple(subjects), times, account.epsilon, epsilons[_after((account, times), charge)])
        for (account, times), subjects in kinds.items()
    ]
    over = [one for one in spent if one.after > charge.budget + ROUNDING]
    if over:
        return [*opening, _refusal(charge, kinds, over)]
    return [*opening, *_granted(charge, spent)]


def _kinds(state: Ledger, charge: Charge) -> dict[_Kind, list[str]]:
    kinds: dict[_Kind, list[str]] = {}
    for subject, times in sorted(Counter(charge.subjects).items()):
        kinds.setdefault((state.account(subject), times), []).append(subject)
    return kinds


def _after(kind: _Kind, charge: Charge) -> Composition:
    account, times = kind
    return compose(account.composition, (repeated(charge.mechanism, times),))


def _refusal(charge: Charge, kinds: Iterable[_Kind], over: list[Spent]) -> BudgetRefused:
    named = sorted((subject, one.after) for one in over for subject in one.subjects)
    return BudgetRefused(
        id=charge.id,
        digest=charge.digest,
        mechanism=charge.mechanism,
        asked=len(set(charge.subjects)),
        refusals=len(named),
        refused=tuple(Overspent(*one) for one in named[:TOLD]),
        epsilon=max(account.epsilon for account, _ in kinds),
    )


def _granted(charge: Charge, spent: list[Spent]) -> list[BudgetCharged]:
    parts: list[list[Spent]] = [[]]
    room = PART
    for one in spent:
        left = one.subjects
        while left:
            if not room:
                parts.append([])
                room = PART
            parts[-1].append(Spent(left[:room], one.times, one.before, one.after))
            left, room = left[room:], max(room - len(left), 0)
    return [
        BudgetCharged(charge.id, charge.digest, charge.mechanism, tuple(part), number, len(parts))
        for number, part in enumerate(parts, 1)
    ]
