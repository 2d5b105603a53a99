"""A ledger as one text, by which a workflow's next run goes on where the last one ended."""

import base64
import json
import zlib
from typing import Any

from domain.learning.budget.commands import Charged
from domain.learning.budget.events import BudgetOpened
from domain.learning.budget.state import CLOSED, Account, Answer, Ledger
from domain.learning.mechanism import Mechanism


def written(ledger: Ledger) -> str:
    """`ledger`, which is not in the middle of a charge; at most about 256 KiB for names of `MAX_NAMES`."""
    if ledger.opened is None:
        return ""
    if ledger.pending is not None:
        raise ValueError(f"the charge {ledger.pending.id} is folded in part only")
    kinds: dict[Account, int] = {}
    subjects = [(name, kinds.setdefault(one, len(kinds))) for name, one in sorted(ledger.accounts.items())]
    text = json.dumps(
        {
            "opened": [ledger.opened.ledger, ledger.opened.budget, ledger.opened.delta],
            "kinds": [_kind(one) for one in kinds],
            "names": [name for name, _ in subjects],
            "of_kind": [kind for _, kind in subjects],
            "answers": [_answer(name, one) for name, one in ledger.answers.items()],
        },
        separators=(",", ":"),
    )
    return base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def read(text: str) -> Ledger:
    """The ledger that was `written`."""
    if not text:
        return CLOSED
    said = json.loads(zlib.decompress(base64.b85decode(text)))
    kinds = [
        Account(tuple(Mechanism(*one) for one in composition), epsilon, releases)
        for composition, epsilon, releases in said["kinds"]
    ]
    return Ledger(
        opened=BudgetOpened(*said["opened"]),
        accounts={name: kinds[kind] for name, kind in zip(said["names"], said["of_kind"], strict=True)},
        answers={name: _read_answer(*one) for name, *one in said["answers"]},
    )


def _kind(account: Account) -> list[Any]:
    composition = [[one.noise_multiplier, one.sampling, one.count] for one in account.composition]
    return [composition, account.epsilon, account.releases]


def _answer(name: str, answer: Answer) -> list[Any]:
    said = answer.charged
    return [name, answer.digest, said.granted, said.epsilon, said.refused, said.refusals]


def _read_answer(digest: str, granted: bool, epsilon: float, refused: list[Any], refusals: int) -> Answer:  # noqa: FBT001 # as it was written
    named = tuple((subject, spent) for subject, spent in refused)
    return Answer(digest, Charged(granted, epsilon, named, refusals))
