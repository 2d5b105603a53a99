"""The one way a decision says no."""


class Refusal(ValueError):
    """An input that cannot be taken: which field, and what would be right, in one line.

    Every refusal of the domain derives from it, so that a command line, an update or a workflow can tell a
    user's mistake (answer once, at once) from a fault of ours (retry, investigate).
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


class ImpossibleEvent(Refusal):
    """An event that cannot follow from the ones before it: a forger or a bug wrote it."""
