"""What is said when a key begins to sign: a text of its own kind, never to be taken for a checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.checkpoint import Checkpoint
from audit.merkle import HASH_BYTES
from audit.note import VerifierKey, read_note
from audit.strict_text import from_base64, from_decimal, to_base64
from domain.refusal import Refusal

_FIELD = "statement"


@dataclass(frozen=True, slots=True)
class KeyStatement:
    """That `key`, the number `number` of the chain called `origin`, signs from here on.

    `replaces` is the key before it. `lost` says who states that that key is lost, and why, where it could
    not sign this itself. `ends` is how far each log was signed before; what is not named had no checkpoint.
    """

    origin: str
    number: int
    key: VerifierKey
    replaces: VerifierKey | None = None
    lost: str | None = None
    ends: tuple[Checkpoint, ...] = ()

    def text(self) -> str:
        """The text to be signed: no second line of a checkpoint begins with a word."""
        lines = [self.origin, f"number {self.number}", f"key {self.key}"]
        lines += [f"replaces {self.replaces}"] if self.replaces else []
        lines += [f"lost {self.lost}"] if self.lost is not None else []
        lines += [f"after {end.origin} {end.size} {to_base64(end.root)}" for end in self.ends]
        return "\n".join(lines) + "\n"

    def end_of(self, origin: str) -> int:
        """How many records of a log the key before may have signed."""
        return next((end.size for end in self.ends if end.origin == origin), 0)

    @classmethod
    def of_note(cls, signed: str) -> "KeyStatement":
        """The statement in a signed note, whoever signed it.

        Raises:
            Refusal: it is no note, or there is none in it.
        """
        return cls.parse(read_note(signed.encode())[0])

    @classmethod
    def parse(cls, text: str) -> "KeyStatement":
        """Read a statement's text, which has exactly one spelling.

        Raises:
            Refusal: it is none.
        """
        origin, *lines = text.removesuffix("\n").split("\n")
        said = [line.partition(" ")[::2] for line in lines]
        plain = {word: rest for word, rest in said if word != "after"}
        if not {"number", "key"} <= set(plain):
            raise Refusal(_FIELD, "does not say which key begins to sign")
        replaces = plain.get("replaces")
        made = cls(
            origin,
            from_decimal(plain["number"], _FIELD),
            VerifierKey.parse(plain["key"]),
            VerifierKey.parse(replaces) if replaces is not None else None,
            plain.get("lost"),
            _ends([rest for word, rest in said if word == "after"]),
        )
        if made.text() != text:
            raise Refusal(_FIELD, "is not spelled as a statement of a key is")
        return made


def _ends(lines: Sequence[str]) -> tuple[Checkpoint, ...]:
    found = []
    for line in lines:
        origin, size, root = (*line.split(" "), "", "")[:3]
        found.append(Checkpoint(origin, from_decimal(size, _FIELD), from_base64(root, _FIELD, HASH_BYTES)))
    return tuple(found)
