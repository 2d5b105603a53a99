"""The one shape in which anything learned may leave a node."""

from dataclasses import dataclass
from datetime import datetime

from domain.learning.privacy_level import PrivacyLevel
from domain.learning.tensors import Tensors


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The rows that trained are of `since` up to and without `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class UpdateMetadata:
    """What is said of an update beside its tensors; `data_volume` counts rows."""

    privacy_level: PrivacyLevel
    data_volume: int
    time_range: TimeRange


@dataclass(frozen=True, slots=True)
class ClientUpdate:
    """The change of a model that one client proposes: new tensors minus those it was given, by section."""

    node_id: str
    personality_evolutions: Tensors
    context_patterns: Tensors
    reasoning_improvements: Tensors
    user_interaction_patterns: Tensors
    metadata: UpdateMetadata
