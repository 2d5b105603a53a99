"""What a reasoner may answer: a choice, how sure it is, why, and citations; and nothing besides."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from domain.consensus.commands import MAX_REASON, MAX_REFERENCES
from domain.reasoning.question import Question
from domain.reasoning.told import as_told
from domain.refusal import Refusal
from domain.strict_json import parse, printable

MAX_ANSWER = 32_768
"""Bytes of an answer that are read."""
_FIELDS = frozenset({"choice", "confidence", "rationale", "citations"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer that fits its question; `choice` null is no verdict, and `rationale` says why."""

    choice: str | None
    confidence: float
    rationale: str
    citations: tuple[str, ...] = ()


def no_verdict(why: str) -> Verdict:
    return Verdict(None, 0.0, as_told(f"no verdict: {why}"))


def read_verdict(answer: bytes | str, question: Question) -> Verdict:
    """Read one JSON object as a verdict on `question`.

    Raises:
        Refusal: it is no JSON object of exactly choice, confidence, rationale and citations, chooses what is
            no position, cites what is no evidence, or is beyond a bound; named by the field.
    """
    value = parse(answer, what="verdict", limit=MAX_ANSWER)
    if not isinstance(value, dict):
        raise Refusal("verdict", "is no JSON object")
    for name in sorted(_FIELDS ^ value.keys()):
        raise Refusal(printable(name, 40), "is missing" if name in _FIELDS else "is no field of a verdict")
    return _checked(value, question)


def check_verdict(answer: object, question: Question) -> Verdict:
    """The verdict that a reasoner gave, once it fits its question: the one door of every kind of reasoner.

    Raises:
        Refusal: it is no verdict, chooses what is no position, cites what is no evidence, or is beyond a
            bound; named by the field.
    """
    if not isinstance(answer, Verdict):
        raise Refusal("verdict", f"is none, but a {printable(type(answer).__name__, 40)}")
    citations = list(answer.citations) if isinstance(answer.citations, tuple) else answer.citations
    return _checked(
        {
            "choice": answer.choice,
            "confidence": answer.confidence,
            "rationale": answer.rationale,
            "citations": citations,
        },
        question,
    )


def verdict_or_none(answer: bytes | str, question: Question) -> Verdict:
    """As `read_verdict`; an answer that does not fit is no verdict, never a guess at one."""
    try:
        return read_verdict(answer, question)
    except Refusal as refusal:
        return no_verdict(f"the answer does not fit: {refusal}")


def agreed(first: Verdict, second: Verdict) -> Verdict:
    """What a mediator says that was asked twice, the second time with the positions reversed.

    Only one choice in both orders is a verdict, as sure as the less sure of the two, citing what either
    cites; anything else is none.
    """
    if first.choice is None or second.choice is None:
        return no_verdict(f"the mediator abstained; {first.rationale} / {second.rationale}")
    if first.choice != second.choice:
        return no_verdict(
            f"the order of the positions decided: {first.choice} in one order, {second.choice} in the other"
        )
    citations = tuple(dict.fromkeys((*first.citations, *second.citations)))
    return Verdict(first.choice, min(first.confidence, second.confidence), first.rationale, citations)


def by_rules(question: Question) -> Verdict:
    """The built-in reasoner: groups equal claims, counts them and the evidence, understands nothing."""
    groups: dict[str, list[str]] = {}
    for one in question.positions:
        groups.setdefault(one.claim.strip(), []).append(one.id)
    told = "; ".join(f"{', '.join(ids)}: {_cited(question, ids)} pieces cited" for ids in groups.values())
    counted = f"{len(question.positions)} positions in {len(groups)} groups"
    return no_verdict(f"grouped and counted, not understood; {counted}: {told}")


def _cited(question: Question, ids: Collection[str]) -> int:
    return len({piece for one in question.positions if one.id in ids for piece in one.evidence})


def _checked(value: Mapping[str, Any], question: Question) -> Verdict:
    return Verdict(
        _choice(value["choice"], question.choices),
        _confidence(value["confidence"]),
        _rationale(value["rationale"]),
        _citations(value["citations"], question.citable),
    )


def _choice(value: Any, choices: Collection[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in choices:
        raise Refusal("choice", f"{_shown(value)} is no position of the question")
    return value


def _confidence(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Refusal("confidence", f"{_shown(value)} is no number from 0 to 1")
    return float(value)


def _rationale(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Refusal("rationale", "is no text, or empty")
    if len(value) > MAX_REASON:
        raise Refusal("rationale", f"{len(value)} characters are too many, at most {MAX_REASON}")
    return as_told(value)


def _citations(value: Any, citable: Collection[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_REFERENCES:
        raise Refusal("citations", f"is no list of at most {MAX_REFERENCES} ids")
    for cited in value:
        if not isinstance(cited, str) or cited not in citable:
            raise Refusal("citations", f"{_shown(cited)} is no piece of evidence of the question")
    return tuple(dict.fromkeys(value))


def _shown(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return "a structure"
    return printable(repr(value), 40)
