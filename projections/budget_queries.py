"""What people ask of privacy ledgers."""

from typing import Any

from projections.budget import BILLION
from projections.queries import Queries

_LEDGERS = """
SELECT ledger, budget, delta, charges, refusals, largest, opened_at, charged_at,
  (SELECT count(*) FROM budget_subject AS s WHERE s.ledger = l.ledger) AS subjects
FROM budget_ledger AS l WHERE $1::text IS NULL OR ledger = $1 ORDER BY ledger
"""
_SUBJECTS = """
SELECT subject, spent, releases FROM budget_subject
WHERE ledger = $1 AND ($2::text IS NULL OR subject = $2) ORDER BY spent DESC, subject LIMIT $3
"""


class BudgetQueries(Queries):
    """The ledgers, and what their subjects have spent, as far as the log is projected."""

    async def ledgers(self, ledger: str | None = None) -> list[dict[str, Any]]:
        """All of them by name, or the one of that name."""
        return [dict(row) for row in await self._rows(_LEDGERS, ledger)]

    async def subjects(
        self, ledger: str, subject: str | None = None, limit: int = 20
    ) -> list[dict[str, Any]]:
        """Who has spent most first: subject, epsilon spent, releases."""
        found = await self._rows(_SUBJECTS, ledger, subject, limit)
        return [
            {"subject": row["subject"], "epsilon": float(row["spent"]) / BILLION, "releases": row["releases"]}
            for row in found
        ]
