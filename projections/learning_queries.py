"""What others ask of the read model of learning cycles."""

from typing import Any

from projections.queries import Queries

_LISTED = """
stream, status, model, trainer, strategy, privacy, round, rounds, loss, accuracy, epsilon, sent_bytes,
raw_bytes, published, digest, privacy_level, opened_at, closed_at
"""
_CYCLES = f"""
SELECT {_LISTED} FROM learning_cycle
WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR model = $2)
ORDER BY opened_at DESC, stream LIMIT $3
"""  # noqa: S608 # columns named above
_CYCLE = f"SELECT {_LISTED}, state FROM learning_cycle WHERE stream = $1"  # noqa: S608 # as above


class LearningQueries(Queries):
    """An async context manager that connects when it is first asked; OSError where it cannot."""

    async def cycles(
        self, limit: int, status: str | None = None, *, model: str | None = None
    ) -> list[dict[str, Any]]:
        """The newest `limit` cycles, without their rounds."""
        return [dict(row) for row in await self._rows(_CYCLES, status, model, limit)]

    async def cycle(self, stream: str) -> dict[str, Any] | None:
        """One cycle, its rounds as JSON text in `state`; None where none is known."""
        return await self._one(_CYCLE, stream)
