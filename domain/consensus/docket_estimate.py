"""What is learned from a whole table before its items are decided, as its policy's weighting asks."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np

from domain.consensus import calibrated, dawid_skene
from domain.consensus.ballot_table import BallotTable
from domain.consensus.crowd import Crowd, Estimate, Numbers
from domain.consensus.docket import ItemEstimate
from domain.consensus.policy import Policy
from domain.consensus.prequential import prequential_weights
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class DocketEstimate:
    """A model of the crowd for `posterior` and `calibrated`, weights of every vote for `reputation`.

    `standings` are the voters' (alpha, beta) from before the docket: its own rulings must not count twice.
    """

    choices: tuple[str, ...]
    standings: Mapping[str, tuple[float, float]]
    model: Estimate | None = None
    weights: Sequence[Sequence[float]] | None = None

    def of(self, item: int) -> ItemEstimate:
        """What it says of the item at this index."""
        if self.model is not None:
            row = self.model.posterior[item].tolist()
            return ItemEstimate(posterior=dict(zip(self.choices, row, strict=True)))
        if self.weights is not None:
            return ItemEstimate(weights=self.weights[item])
        return ItemEstimate()


def estimate_docket(
    table: BallotTable, policy: Policy, standings: Mapping[str, tuple[float, float]]
) -> DocketEstimate:
    """Estimate what `policy.weighting` needs.

    Raises:
        Refusal: the table is too large for the model.
    """
    match policy.weighting:
        case "equal":
            return DocketEstimate(table.choices, standings)
        case "reputation":
            return DocketEstimate(
                table.choices, standings, weights=prequential_weights(table, policy, standings)
            )
        case "posterior":
            return DocketEstimate(table.choices, standings, dawid_skene.estimate(Crowd.of(table)))
        case "calibrated":
            return DocketEstimate(table.choices, standings, calibrated.estimate(Crowd.of(table)))
        case _:
            assert_never(policy.weighting)


def to_bytes(estimate: DocketEstimate) -> bytes:
    """One line of JSON, then arrays in NumPy's format (NEP 1): equal estimates have equal bytes."""
    model = estimate.model
    head = {
        "choices": estimate.choices,
        "standings": dict(sorted(estimate.standings.items())),
        "votes": None if estimate.weights is None else [len(row) for row in estimate.weights],
        "model": None if model is None else _facts(model),
    }
    file = io.BytesIO()
    file.write(json.dumps(head, ensure_ascii=True).encode() + b"\n")
    if model is not None:
        for array in (model.marginals, model.confusion, model.posterior):
            np.save(file, array, allow_pickle=False)
    if estimate.weights is not None:
        np.save(file, np.array([w for row in estimate.weights for w in row], dtype=np.float64))
    return file.getvalue()


def from_bytes(raw: bytes) -> DocketEstimate:
    """What `to_bytes` wrote.

    Raises:
        Refusal: these are not its bytes.
    """
    try:
        return _read(io.BytesIO(raw))
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise Refusal("estimate", f"is not an estimate of a docket: {type(error).__name__}") from None


def _read(file: io.BytesIO) -> DocketEstimate:
    head = json.loads(file.readline())
    standings = {voter: (alpha, beta) for voter, (alpha, beta) in head["standings"].items()}
    estimate = DocketEstimate(tuple(head["choices"]), standings)
    if head["model"] is not None:
        marginals, confusion, posterior = (_array(file) for _ in range(3))
        facts = head["model"]
        model = Estimate(
            facts["method"],
            marginals,
            confusion,
            posterior,
            facts["log_likelihood"],
            facts["iterations"],
            facts["converged"],
            tuple(facts["trace"]),
        )
        estimate = replace(estimate, model=model)
    if head["votes"] is not None:
        ends = np.cumsum(head["votes"])[:-1]
        rows = [row.tolist() for row in np.split(_array(file), ends)]
        estimate = replace(estimate, weights=rows)
    return estimate


def _array(file: io.BytesIO) -> Numbers:
    array: Numbers = np.load(file, allow_pickle=False)
    return array


def _facts(model: Estimate) -> dict[str, object]:
    return {
        "method": model.method,
        "log_likelihood": model.log_likelihood,
        "iterations": model.iterations,
        "converged": model.converged,
        "trace": model.trace,
    }
