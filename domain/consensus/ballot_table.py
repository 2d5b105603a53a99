"""A table of recorded ballots: who labelled what with which choice, and the one vote that labels make."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, assert_never

from domain.consensus.ballot_rows import Row, csv_rows, jsonl_rows
from domain.consensus.commands import MAX_NAME
from domain.refusal import Refusal
from domain.strict_json import CONTROL

Kind = Literal["csv", "jsonl"]
Label = tuple[int, int, int, float | None]
"""Indices of item, voter and choice in the table, and the confidence stated with the label."""

MAX_BYTES = 64 << 20
MAX_ROWS = 2_000_000
MAX_CHOICES = 1_000
MAX_TEXT = 1_000
_DIGITS = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Vote:
    """What one voter's labels of one item count for where one voter has one vote.

    `choice` is null for an abstention, whose cause is `reason`. `labels` holds every label, in row order,
    where there were several.
    """

    voter: str
    choice: str | None
    confidence: float | None = None
    labels: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class BallotTable:
    """Items in the order of their first row; voters and choices in natural order (2 before 10).

    `labels` are in row order. The natural order does not depend on the rows' order, so that permuted rows
    give the same voters and choices.
    """

    items: tuple[str, ...]
    voters: tuple[str, ...]
    choices: tuple[str, ...]
    labels: tuple[Label, ...]

    def votes(self, item: int) -> tuple[Vote, ...]:
        """One vote for each voter that labelled the item of this index, in the order of `voters`."""
        given: dict[int, list[Label]] = {}
        for label in self._by_item[item]:
            given.setdefault(label[1], []).append(label)
        return tuple(self._vote(voter, given[voter]) for voter in sorted(given))

    def voters_of(self, item: int) -> int:
        """How many voters labelled the item of this index."""
        return len({label[1] for label in self._by_item[item]})

    def name_bytes_of(self, item: int) -> int:
        """The bytes of the names of the voters that labelled the item of this index."""
        return sum(len(self.voters[voter].encode()) for voter in {label[1] for label in self._by_item[item]})

    @cached_property
    def _by_item(self) -> list[list[Label]]:
        found: list[list[Label]] = [[] for _ in self.items]
        for label in self.labels:
            found[label[0]].append(label)
        return found

    def _vote(self, voter: int, labels: Sequence[Label]) -> Vote:
        if len(labels) == 1:
            return Vote(self.voters[voter], self.choices[labels[0][2]], labels[0][3])
        texts = tuple(self.choices[label[2]] for label in labels)
        chosen = most_frequent(texts)
        if len(chosen) > 1:
            reason = f"its own {len(texts)} labels tie between {len(chosen)} choices"
            return Vote(self.voters[voter], None, None, texts, reason)
        stated = [label[3] for label, text in zip(labels, texts, strict=True) if text == chosen[0]]
        return Vote(self.voters[voter], chosen[0], _mean(stated), texts)


def most_frequent(texts: Iterable[str]) -> tuple[str, ...]:
    """The most frequent texts in natural order: several where they tie, none of none."""
    counts = Counter(texts)
    most = max(counts.values(), default=0)
    return tuple(sorted((text for text, count in counts.items() if count == most), key=natural))


def natural(text: str) -> tuple[list[str | int], str]:
    """A sort key that reads runs of ASCII digits as numbers; the text itself breaks what then ties."""
    parts = _DIGITS.split(text)
    return [int(part) if position % 2 else part for position, part in enumerate(parts)], text


def parse(raw: bytes, *, kind: Kind) -> BallotTable:
    """Read a table `item,voter,choice[,confidence]` of at most 64 MiB, 2,000,000 rows and 1,000 choices.

    Spaces around a name are not part of it. A cell is data, whatever a spreadsheet would make of it.

    Raises:
        Refusal: the table cannot be read; the first fault, named by its physical line.
    """
    if len(raw) > MAX_BYTES:
        raise Refusal("table", f"{len(raw):,} bytes are too many, at most {MAX_BYTES:,} are read; split it")
    match kind:
        case "csv":
            return _table(csv_rows(raw))
        case "jsonl":
            return _table(jsonl_rows(raw))
        case _ as unknown:
            assert_never(unknown)


def kind_of(raw: bytes) -> Kind:
    """JSON lines begin with a brace, or wrongly with a bracket, which the header of a CSV table cannot."""
    return "jsonl" if raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["} else "csv"


class _Names(dict[str, int]):
    """Numbers names in the order of their first sight; each is checked once, at that moment."""

    def __init__(self, field: str, limit: int, longest: int = MAX_TEXT) -> None:
        super().__init__()
        self.field = field
        self.limit = limit
        self.longest = longest
        self.seen: list[str] = []

    def __missing__(self, text: str) -> int:
        name = text.strip()
        if name != text:
            index = self[name]
        elif not name:
            raise Refusal(self.field, "is empty")
        elif len(name) > self.longest:
            raise Refusal(
                self.field, f"{len(name):,} characters are too many, at most {self.longest:,} are read"
            )
        elif CONTROL.search(name):
            raise Refusal(self.field, "holds a control character; remove it")
        elif len(self.seen) >= self.limit:
            raise Refusal(self.field, f"is one of more than {self.limit:,} different; the wrong column?")
        else:
            index = len(self.seen)
            self.seen.append(name)
        self[text] = index
        return index

    def natural_ranks(self) -> tuple[tuple[str, ...], list[int]]:
        """The names in natural order, and for each number given so far its place in that order."""
        order = sorted(range(len(self.seen)), key=lambda index: natural(self.seen[index]))
        ranks = [0] * len(order)
        for rank, index in enumerate(order):
            ranks[index] = rank
        return tuple(self.seen[index] for index in order), ranks


def _table(rows: Iterable[Row]) -> BallotTable:
    items, voters = _Names("item", MAX_ROWS), _Names("voter", MAX_ROWS, MAX_NAME)
    choices = _Names("choice", MAX_CHOICES)
    labels: list[Label] = []
    for line, item, voter, choice, confidence in rows:
        try:
            labels.append((items[item], voters[voter], choices[choice], confidence))
        except Refusal as refusal:
            raise Refusal(f"line {line}, {refusal.field}", refusal.problem) from None
        if len(labels) > MAX_ROWS:
            raise Refusal(f"line {line}", f"is one row too many, at most {MAX_ROWS:,} are read; split it")
    if not labels:
        raise Refusal("table", "holds no ballots")
    voter_names, voter_at = voters.natural_ranks()
    choice_names, choice_at = choices.natural_ranks()
    ordered = tuple((i, voter_at[v], choice_at[c], stated) for i, v, c, stated in labels)
    return BallotTable(tuple(items.seen), voter_names, choice_names, ordered)


def _mean(stated: Sequence[float | None]) -> float | None:
    known = [value for value in stated if value is not None]
    return sum(known) / len(known) if known else None
