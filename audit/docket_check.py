"""A docket's own events held against its items: how many came out how, and what was learned of the voters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audit.dockets import DocketRecord, item_index
from domain.consensus import calibrated, dawid_skene
from domain.consensus.crowd import Crowd, Estimate
from domain.consensus.events import (
    Decided,
    DocketClosed,
    DocketEstimated,
    DocketOpened,
    DocketWithdrawn,
    Opened,
    SliceDecided,
)
from domain.event import Event

_TOLERANCE = 1e-6
MODELS = {"posterior": dawid_skene.estimate, "calibrated": calibrated.estimate}

Difference = tuple[Event, str]
"""The event that says other than the items, and what it says."""


@dataclass(slots=True)
class DocketCheck:
    """One docket's own stream and the settled items of it that were read so far."""

    own: Sequence[Event] = ()
    _outcomes: dict[int, tuple[str, int]] = field(default_factory=dict)  # status, number of events
    _decided: dict[int, Event] = field(default_factory=dict)
    _record: DocketRecord = field(default_factory=DocketRecord)

    def take(self, events: Sequence[Event]) -> None:
        """Add the settled item whose events these are."""
        opened, decided, index = events[0].data, events[-1].data, item_index(events)
        if not isinstance(opened, Opened) or not isinstance(decided, Decided) or index is None:
            return
        self._outcomes[index] = (decided.status, len(events))
        if opened.policy.weighting in MODELS:
            self._decided[index] = events[-1]
            self._record.take(events)

    @property
    def whole(self) -> bool:
        """Whether all items were read that the docket decided until it was closed, or withdrawn."""
        opened = self.own[0].data if self.own else None
        if not isinstance(opened, DocketOpened):
            return False
        if not self._withdrawn:
            return set(self._outcomes) == set(range(opened.items))
        slices = [event.data for event in self.own if isinstance(event.data, SliceDecided)]
        within = [n for n in self._outcomes if any(part.first <= n < part.last for part in slices)]
        return len(within) == len(self._outcomes) == sum(part.last - part.first for part in slices)

    def miscounted(self) -> Difference | None:
        """The first slice or close whose numbers are not its items'."""
        for event in self.own:
            match event.data:
                case SliceDecided(first=first, last=last) as data:
                    outcomes = [outcome for n, outcome in self._outcomes.items() if first <= n < last]
                    said: object = (data.events, data.statuses)
                    count: object = (sum(n for _, n in outcomes), dict(Counter(s for s, _ in outcomes)))
                case DocketClosed() as data:
                    said, count = data.statuses, dict(Counter(s for s, _ in self._outcomes.values()))
                case _:
                    continue
            if said != count:
                return event, f"recorded {said!r}, but its items come to {count!r}"
        return None

    @property
    def has_model(self) -> bool:
        """Whether the log holds all that a model was learned from: of a withdrawn docket it does not."""
        return bool(self._decided) and not self._withdrawn

    @property
    def _withdrawn(self) -> bool:
        return isinstance(self.own[-1].data, DocketWithdrawn)

    def mislearned(self) -> Difference | None:
        """Learn the docket's model again from the labels on the log: what of it differs first."""
        table = self._record.table()
        if table is None:
            return None
        model = MODELS[self._record.weighting](Crowd.of(table))
        return self._estimate_differs(model, table.choices) or self._posterior_differs(model, table.choices)

    def _estimate_differs(self, model: Estimate, choices: Sequence[str]) -> Difference | None:
        for event in self.own:
            if not isinstance(event.data, DocketEstimated):
                continue
            recorded, computed = event.data.log_likelihood, model.log_likelihood
            if abs(recorded - computed) > _TOLERANCE * max(abs(computed), 1.0):
                return event, f"log_likelihood: recorded {recorded}, but the labels give {computed}"
            marginals = dict(zip(choices, model.marginals.tolist(), strict=True))
            worst = _largest_difference(marginals, event.data.marginals)
            if worst > _TOLERANCE:
                return event, f"marginals: differ by {worst:.6f} from what the labels on the log give"
        return None

    def _posterior_differs(self, model: Estimate, choices: Sequence[str]) -> Difference | None:
        """Every item's posterior must be what the model says of the labels on the log."""
        for row, item in enumerate(self._record.in_order()):
            posterior = dict(zip(choices, model.posterior[row].tolist(), strict=True))
            worst = _largest_difference(posterior, item.posterior)
            if worst > _TOLERANCE:
                problem = f"posterior: differs by {worst:.6f} from what the labels on the log give"
                return self._decided[item.index], problem
        return None


def _largest_difference(computed: Mapping[str, float], recorded: Mapping[str, float]) -> float:
    names = computed.keys() | recorded.keys()
    return max((abs(computed.get(name, 0.0) - recorded.get(name, 0.0)) for name in names), default=0.0)
