"""A speaker that says what a test tells it to, and counts how often it was asked."""


class Says:
    identity = "says 1"
    name = "says"

    def __init__(self, *words) -> None:
        self._words = list(words)
        self.asked = []

    async def answer(self, question) -> str:
        self.asked.append(question)
        said = self._words.pop(0) if len(self._words) > 1 else self._words[0]
        if isinstance(said, Exception):
            raise said
        return said
