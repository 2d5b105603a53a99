"""A model as a speaker, through pydantic-ai: one request, no tool, plain text back, within its limits.

Asked inside a Temporal activity, which is what makes it durable: docs/decisions/pydantic-ai.md
"""

import secrets
from typing import TYPE_CHECKING, Any

from activities.remembered import NoAnswer
from domain.reasoning.prompt import prompt
from domain.reasoning.question import Question
from domain.refusal import Refusal
from domain.strict_json import printable
from workers.model_settings import ModelSettings

if TYPE_CHECKING:
    from pydantic_ai import Agent
    from pydantic_ai.models import Model

NAME = "folkmoot_reasoner"
_CHARACTERS_A_TOKEN = 4
"""Of English text; what is longer than its limit by this count is not sent, whatever a provider would say."""


class Speaks:
    """A `Speaker`: whatever `settings.model` names, or a model that is handed in.

    Raises:
        Refusal: pydantic-ai is not installed, or it knows no such model, or lacks its key.
    """

    def __init__(self, settings: ModelSettings, model: "Model | None" = None) -> None:
        self._settings = settings
        self._agent = _agent(settings, model)
        self._called = settings.model or (model.model_name if model else "")

    @property
    def name(self) -> str:
        return f"model {printable(self._called, 120)}"

    @property
    def identity(self) -> str:
        limits = self._settings
        return f"{self._called} {limits.input_tokens} {limits.output_tokens} {limits.cost}"

    async def answer(self, question: Question) -> str:
        """The model's words; see `activities.remembered.Speaker`."""
        from pydantic_ai import UnexpectedModelBehavior, UsageLimitExceeded

        text = prompt(question, secrets.token_hex(16))
        most = self._settings.input_tokens * _CHARACTERS_A_TOKEN
        if len(text) > most:
            raise NoAnswer("model", f"the question has {len(text)} characters, at most {most} are sent")
        try:
            result = await self._request(text)
        except UsageLimitExceeded as error:
            raise NoAnswer("model", f"a limit was reached: {printable(str(error), 200)}") from None
        except UnexpectedModelBehavior as error:
            raise NoAnswer("model", f"it gave no text: {printable(str(error), 200)}") from None
        if self._settings.cost is not None and result.usage.cost is None:
            raise NoAnswer("model", "its price is unknown, so the limit of cost cannot be held")
        return _unfenced(result.output)

    async def _request(self, text: str) -> Any:
        from pydantic_ai import UsageLimits

        limits = self._settings
        return await self._agent.run(
            text,
            usage_limits=UsageLimits(
                request_limit=1,
                tool_calls_limit=0,
                input_tokens_limit=limits.input_tokens,
                output_tokens_limit=limits.output_tokens,
                cost_limit=limits.cost,
            ),
        )


def _agent(settings: ModelSettings, model: "Model | None") -> "Agent[None, str]":
    try:
        from pydantic_ai import Agent, UserError
        from pydantic_ai import ModelSettings as Asked
    except ImportError:
        raise Refusal(
            "FOLKMOOT_MODEL", "pydantic-ai is not installed: pip install 'folkmoot[model]'"
        ) from None
    asked = Asked(max_tokens=settings.output_tokens, timeout=settings.seconds)
    try:
        return Agent(
            model or settings.model, output_type=str, name=NAME, model_settings=asked, retries=0, tools=()
        )
    except (UserError, ImportError, ValueError) as error:
        raise Refusal(
            "FOLKMOOT_MODEL", f"{printable(settings.model, 60)}: {printable(str(error), 200)}"
        ) from None


def _unfenced(text: str) -> str:
    """The inside of a Markdown block, where the whole answer is one; models wrap JSON so."""
    lines = text.strip().split("\n")
    if len(lines) > 2 and lines[0] in ("```", "```json") and lines[-1] == "```":  # noqa: PLR2004 # two fences
        return "\n".join(lines[1:-1])
    return text
