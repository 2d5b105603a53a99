"""Words that another program or a model wrote, made fit for the log."""

from domain.consensus.commands import MAX_REASON
from domain.strict_json import CONTROL


def as_told(text: str) -> str:
    """Another program's words, fit for the log: cut, control characters and lone surrogates replaced."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text[:MAX_REASON]).encode("utf-8", "replace").decode()
