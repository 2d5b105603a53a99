"""A cycle in words and as a table, for Temporal's UI and the queries."""

from typing import Any

from domain.learning.outcome import RoundFigures
from domain.learning.state import Cycle

_SHOWN = 20


def table(state: Cycle, status: str) -> str:
    """Markdown: where it stands, and the last rounds."""
    if state.opened is None:
        return f"**{status}**"
    request = state.opened.request
    head = (
        f"**{status}** · round {min(state.next_round, request.rounds)} of {request.rounds} · "
        f"`{request.model}` by `{request.trainer.name}`, `{request.strategy.name}`, "
        f"privacy `{request.privacy.method}`"
    )
    lines = [head, "", _now(state), ""]
    if state.figures:
        lines += [
            "| round | loss | accuracy | drift | clients / asked | sent / raw | epsilon |",
            "|---|---|---|---|---|---|---|",
            *(_line(one) for one in state.figures[-_SHOWN:]),
        ]
    return "\n".join(lines)


def summary(state: Cycle, status: str, heard: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    """What the query `state` answers; `heard`: reports and losses of the attempt under way."""
    opened, last = state.round, state.aggregated
    return {
        "status": status,
        "round": state.next_round,
        "rounds": None if state.opened is None else state.opened.request.rounds,
        "attempt": None if opened is None else opened.attempt,
        "asked": None if opened is None else len(opened.cohort),
        "reported": heard[0],
        "lost": heard[1],
        "participants": len(state.participants),
        "insights_aggregated": state.insights,
        "privacy_level": state.level,
        "digest": None if last is None else last.digest,
        "loss": None if last is None else last.loss,
        "accuracy": None if last is None else last.accuracy,
        "version": None if state.closed is None else state.closed.version,
    }


def explanation(state: Cycle, status: str) -> str:
    """How it came about, a sentence a line."""
    if state.opened is None:
        return "Nothing was opened yet."
    request = state.opened.request
    since, until = (f"{moment:%Y-%m-%d %H:%M}" for moment in (state.opened.since, state.opened.until))
    begun = (
        f"Rows of '{request.data.name}' from {since} to {until} UTC train {request.model}, from "
        f"{state.opened.parent or 'a fresh model'}."
    )
    lines = [begun, *map(_sentence, state.figures)]
    if state.round is not None:
        lines.append(_now(state))
    if state.failed is not None:
        lines.append(f"It failed: {state.failed.reason}")
    if state.withdrawn is not None:
        lines.append(f"It was withdrawn: {state.withdrawn.reason or 'no reason was given'}")
    if state.closed is not None:
        lines.append(f"It was published as {state.closed.version}, model digest {state.closed.digest[:12]}.")
    return "\n".join([*lines, f"It is {status}."])


def _now(state: Cycle) -> str:
    if state.round is None:
        return f"No round is open; {len(state.figures)} became a model."
    opened = state.round
    again = f", attempt {opened.attempt}" if opened.attempt > 1 else ""
    return f"Round {opened.round}{again}: {len(opened.cohort)} of {opened.eligible} eligible were asked."


def _line(one: RoundFigures) -> str:
    return (
        f"| {one.round} | {_number(one.loss)} | {_number(one.accuracy)} | {one.drift:.4f} | "
        f"{one.clients} / {one.cohort} | {one.sent_bytes:,} / {one.raw_bytes:,} | {_number(one.epsilon)} |"
    )


def _sentence(one: RoundFigures) -> str:
    return (
        f"Round {one.round}: {one.clients} of {one.cohort} asked entered; loss {_number(one.loss)}, accuracy "
        f"{_number(one.accuracy)}, drift {one.drift:.4f}."
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
