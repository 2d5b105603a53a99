"""What a learning cycle asks of the keeper of its model's versions."""

from dataclasses import dataclass

from temporalio import activity

from activities.learning_ports import Models, Publication, Version


@dataclass(frozen=True, slots=True)
class VersionWanted:
    """A version of a model by its name, or the promoted one."""

    model: str
    name: str | None = None


class Publishing:
    """Reaches the keeper through the injected port."""

    def __init__(self, models: Models) -> None:
        self._models = models

    @activity.defn(name="publish_version")
    async def publish_version(self, publication: Publication) -> Version:
        """Make a cycle's model the next version; a retry gives the same one.

        Raises:
            Refusal: the keeper will not have it; it says why.
        """
        return await self._models.publish(publication)

    @activity.defn(name="find_version")
    async def find_version(self, wanted: VersionWanted) -> Version | None:
        """The version, or None where none is promoted yet.

        Raises:
            Refusal: the model has no version of that name.
        """
        return await self._models.version(wanted.model, wanted.name)
