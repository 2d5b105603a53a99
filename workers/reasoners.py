"""Makes a reasoner out of its name: rules, model, person, or a program of one's own."""

import importlib
import sys
from pathlib import Path

from activities.asking import Rules
from activities.person import Person
from activities.ports import Answers, Reasoner
from activities.remembered import Remembered
from domain.refusal import Refusal
from domain.strict_json import printable
from workers.desk import Terminal
from workers.model_settings import ModelSettings


def mediator(settings: ModelSettings, answers: Answers) -> Reasoner:
    """What mediates on the orchestrator: the rules, or the model.

    Raises:
        Refusal: the model cannot be used.
    """
    return _model(settings, answers) if settings.mediator == "model" else Rules()


def load_reasoner(spec: str, settings: ModelSettings, answers: Answers) -> Reasoner:
    """The reasoner of a node: `rules`, `model`, `person`, or what `module:factory` makes.

    The module is imported, so name only what you trust.

    Raises:
        Refusal: the model cannot be used, there is no such factory, or what it makes is no reasoner.
    """
    if spec == "rules":
        return Rules()
    if spec == "model":
        return _model(settings, answers)
    if spec == "person":
        return Remembered(Person("person", Terminal()), answers)
    return _own(spec)


def _model(settings: ModelSettings, answers: Answers) -> Reasoner:
    from workers.model import Speaks

    if not settings.model:
        raise Refusal("FOLKMOOT_MODEL", "is not set; name it provider:name")
    return Remembered(Speaks(settings), answers)


def _own(spec: str) -> Reasoner:
    module, _, factory = spec.partition(":")
    sys.path.append(str(Path.cwd()))  # last, so that a reasoner beside you is found and hides nothing of ours
    try:
        made = getattr(importlib.import_module(module), factory)()
    except (ImportError, AttributeError, ValueError) as error:
        raise Refusal("--reasoner", f"{printable(spec)} cannot be loaded: {error}") from None
    if not callable(getattr(made, "verdict", None)) or not isinstance(getattr(made, "name", None), str):
        raise Refusal("--reasoner", f"{printable(spec)} makes something without `name` or `verdict`")
    reasoner: Reasoner = made
    return reasoner
