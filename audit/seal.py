"""When a partition's log may be sealed: never against a checkpoint that was published before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from audit.checkpoint import Checkpoint
from audit.tiles import WIDTH, Coordinate, Tree
from domain.strict_json import printable


class SplitView(Exception):
    """The log no longer is what a published checkpoint says it was.

    The topic or the database was restored to another state, or records were changed. Whoever holds the
    published checkpoint could prove two histories, so nothing more of this log is sealed; `moot audit verify`
    names the first record that differs.
    """

    def __init__(self, origin: str, problem: str) -> None:
        super().__init__(f"split view of {printable(origin)}: {problem}")
        self.origin = origin
        self.problem = problem


@dataclass(slots=True)
class Seal:
    """One partition's tree and the published checkpoints that it must still pass through.

    `covered` is the largest size that was ever signed.
    """

    origin: str
    tree: Tree
    covered: int = 0
    _awaited: dict[int, bytes] = field(default_factory=dict)

    def expect(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Take note of what was published for sizes that the tree has not reached.

        Raises:
            SplitView: two published checkpoints of one size differ, or one differs from the tree as it is.
        """
        for checkpoint in checkpoints:
            if checkpoint.size < self.tree.size:
                continue  # held against the tiles by whoever knows them
            known = self._awaited.setdefault(checkpoint.size, checkpoint.root)
            if known != checkpoint.root:
                raise SplitView(
                    self.origin, f"two different checkpoints of size {checkpoint.size} are published"
                )
            self.covered = max(self.covered, checkpoint.size)
        self._hold_against_published()

    def absorb(self, values: Sequence[bytes]) -> dict[Coordinate, bytes]:
        """Grow by raw leaves, stopping at every awaited size; the tiles that changed.

        Raises:
            SplitView: at a published size the root is another one. The tree is then of no more use.
        """
        done = 0
        stops = sorted(size - self.tree.size for size in self._awaited)
        for stop in (*(stop for stop in stops if stop <= len(values)), len(values)):
            self.tree.append(values[done:stop])
            done = stop
            self._hold_against_published()
        return self.tree.take_changed()

    def due(self) -> Checkpoint | None:
        """What is to be signed now: nothing while a size that was signed before is not passed."""
        if self.tree.size <= self.covered:
            return None
        return Checkpoint(self.origin, self.tree.size, self.tree.root())

    def _hold_against_published(self) -> None:
        expected = self._awaited.pop(self.tree.size, None)
        if expected is not None and expected != self.tree.root():
            raise SplitView(
                self.origin,
                f"the first {self.tree.size} records are not those of the published checkpoint of that size",
            )


def leaf_spans(before: int, offsets: Sequence[int]) -> dict[int, tuple[int, int]]:
    """For each level-0 tile that the records at `offsets` fall into, the first and last of their offsets.

    `before` is how many leaves the tree had.
    """
    found = {}
    position = 0
    while position < len(offsets):
        index, used = divmod(before + position, WIDTH)
        last = min(position + WIDTH - used, len(offsets))
        found[index] = offsets[position], offsets[last - 1]
        position = last
    return found
