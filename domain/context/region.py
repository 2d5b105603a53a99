"""A region's name: part of a topic's name and of streams' names, so a narrow one."""

import re

from domain.refusal import Refusal
from domain.strict_json import printable

# Kafka's metrics take `.` for `_`; with the longest prefix and `context.` it has at most 249 characters.
REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def check_region(region: str, field: str = "region") -> None:
    """Refuse what cannot name a region of the shared context.

    Raises:
        Refusal: it is not 1 to 40 lower-case letters, digits or `-`, starting with a letter or digit.
    """
    if not REGION.fullmatch(region):
        raise Refusal(
            field,
            f"'{printable(region, 60)}' is not 1 to 40 lower-case letters, digits or - (no - first)",
        )
