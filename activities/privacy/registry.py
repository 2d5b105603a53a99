"""The privacy methods that are installed in a process, by name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from activities.privacy.port import Accountant, AggregatorHalf, Method, NodeHalf
from domain.learning.policy import METHODS, PrivacySpec
from domain.refusal import Refusal
from domain.strict_json import printable

Calibrate = Callable[[PrivacySpec, int, int, int], PrivacySpec]
"""From what was asked, the rounds, the cohort's size and how many were eligible: what the log freezes."""


@dataclass(frozen=True, slots=True)
class Installed:
    """One method. `node` is made for each client, on nodes; the others are at the aggregator.

    `method`: as a cycle's settings ask for it. `calibrate`: before the cycle opens, where it has to be.
    """

    name: str
    method: Callable[[PrivacySpec], Method]
    node: Callable[[str], NodeHalf] | None = None
    aggregator: AggregatorHalf | None = None
    accountant: Accountant | None = None
    calibrate: Calibrate | None = None


class Methods:
    """Those that a process was given."""

    def __init__(self, installed: Iterable[Installed]) -> None:
        self._by_name = {one.name: one for one in installed}

    def of(self, spec: PrivacySpec) -> Installed:
        """The method that `spec` names.

        Raises:
            Refusal: it is none, or not installed here.
        """
        if spec.method in self._by_name:
            return self._by_name[spec.method]
        if spec.method not in METHODS:
            raise Refusal("method", f"Unknown privacy method: {printable(spec.method, 40)}")
        here = ", ".join(sorted(self._by_name)) or "none of them"
        raise Refusal("privacy.method", f"{spec.method} is not installed here; there is {here}")

    def method(self, spec: PrivacySpec) -> Method:
        """What it asks of the cycle."""
        return self.of(spec).method(spec)

    def node(self, spec: PrivacySpec, client: str) -> NodeHalf:
        """Its half for `client`, on a node."""
        make = self.of(spec).node
        if make is None:
            raise Refusal("privacy.method", f"{spec.method} is not installed on this node")
        return make(client)

    def aggregator(self, spec: PrivacySpec) -> AggregatorHalf:
        """Its half at the aggregator."""
        half = self.of(spec).aggregator
        if half is None:
            raise Refusal("privacy.method", f"{spec.method} is not installed at the aggregator")
        return half
