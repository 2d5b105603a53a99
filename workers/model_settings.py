"""Which model reasons, and what one question may cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from domain.refusal import Refusal
from domain.strict_json import printable

KINDS = ("rules", "model")
INPUT_TOKENS = 32_000
OUTPUT_TOKENS = 2_000


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """`model` is provider:name as pydantic-ai knows it; limits are for one question in one order.

    `cost` is in US dollars; None sets no limit of cost. `seconds` bounds one request.
    """

    mediator: str = "rules"
    model: str = ""
    input_tokens: int = INPUT_TOKENS
    output_tokens: int = OUTPUT_TOKENS
    cost: Decimal | None = None
    seconds: float = 60.0


DEFAULTS = ModelSettings()


def read(environ: Mapping[str, str]) -> ModelSettings:
    """Read the settings of the model.

    Raises:
        Refusal: a kind of mediator that is none, a number that is none, or a model is wanted and not named.
    """
    mediator = environ.get("FOLKMOOT_MEDIATOR") or "rules"
    if mediator == "person":
        raise Refusal(
            "FOLKMOOT_MEDIATOR",
            "is rules or model; a person decides by `moot conflict rule`, `moot consensus rule`",
        )
    if mediator not in KINDS:
        raise Refusal("FOLKMOOT_MEDIATOR", f"'{printable(mediator, 40)}' is none of {', '.join(KINDS)}")
    model = environ.get("FOLKMOOT_MODEL", "")
    if mediator == "model" and not model:
        raise Refusal("FOLKMOOT_MODEL", "is not set, and the mediator is a model; name it provider:name")
    return ModelSettings(
        mediator=mediator,
        model=model,
        input_tokens=_count("FOLKMOOT_MODEL_INPUT_TOKENS", environ, INPUT_TOKENS),
        output_tokens=_count("FOLKMOOT_MODEL_OUTPUT_TOKENS", environ, OUTPUT_TOKENS),
        cost=_cost(environ.get("FOLKMOOT_MODEL_COST", "")),
    )


def _count(name: str, environ: Mapping[str, str], default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:10]) <= 10_000_000:  # noqa: PLR2004 # more than any model reads
        raise Refusal(name, f"'{printable(text, 20)}' is no number of tokens from 1 to 10000000")
    return int(text)


def _cost(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        cost = Decimal(text)
    except InvalidOperation:
        cost = Decimal(0)
    if not cost.is_finite() or cost <= 0:
        raise Refusal("FOLKMOOT_MODEL_COST", f"'{printable(text, 20)}' is no number of US dollars above 0")
    return cost
