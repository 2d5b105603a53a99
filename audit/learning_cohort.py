"""Cohorts drawn again from the rosters that they were drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from audit.learning_artifacts import Artifacts, content
from audit.learning_wording import few
from domain.learning.events import CycleOpened, Member, RoundOpened
from domain.learning.fleet import Candidate
from domain.learning.selection import draw, eligible, is_poisson
from domain.refusal import Refusal

_decode = msgspec.json.Decoder(tuple[Candidate, ...]).decode


@dataclass(slots=True)
class Cohorts:
    """Checks the rounds of one cycle; the last roster is kept, for the next round is often drawn from it."""

    artifacts: Artifacts
    _read: dict[str, Sequence[Candidate]] = field(default_factory=dict)

    async def check(self, opening: CycleOpened, data: RoundOpened) -> Sequence[Candidate]:
        """Draw again; of whom: those that were eligible.

        Raises:
            Refusal: the roster is missing, a member is not eligible by it, or another cohort is drawn.
        """
        able = eligible(await self.roster(data), opening.request, opening.since, opening.until)
        if len(able) != data.eligible:
            raise Refusal("eligible", f"recorded {data.eligible:,}, but the roster has {len(able):,}")
        known = {one.client.id for one in able}
        strangers = [member.client for member in data.cohort if member.client not in known]
        if strangers:
            raise Refusal("cohort", f"holds {few(strangers)}, not eligible by the roster")
        request = opening.request
        poisson = is_poisson(request.privacy)
        drawn = draw(
            able,
            request.cohort,
            request.seed,
            data.round,
            data.attempt,
            poisson=poisson,
            always=request.privacy.key_holder,
        )
        if drawn != data.cohort:
            raise Refusal("cohort", _difference(data.cohort, drawn))
        return able

    async def roster(self, data: RoundOpened) -> Sequence[Candidate]:
        """The roster that a round was drawn from.

        Raises:
            Refusal: it is missing, was changed, or is none.
        """
        digest = data.roster.sha256
        if digest not in self._read:
            raw = await content(self.artifacts, data.roster, "roster")
            try:
                self._read = {digest: _decode(raw)}
            except msgspec.MsgspecError as error:
                raise Refusal("roster", f"{digest[:12]} is none: {error}") from None
        return self._read[digest]


def _difference(recorded: Sequence[Member], drawn: Sequence[Member]) -> str:
    was, is_ = {member.client for member in recorded}, {member.client for member in drawn}
    extra, missing = sorted(was - is_), sorted(is_ - was)
    if not extra and not missing:
        return "the same clients are drawn, but of other hosts or regions"
    told = [f"{few(extra)} was not drawn"] if extra else []
    return "; ".join([*told, *([f"{few(missing)} was drawn and is not in it"] if missing else [])])
