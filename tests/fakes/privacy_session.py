"""A cycle's message rounds in memory, for any privacy method: who goes away when is the caller's to say."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Drive:
    """Runs one attempt as the cycle's workflow does; `passed` is every message that went through it.

    `change(step, client, message)` may alter what a client is about to be given or has answered.
    """

    method: Any
    session: Any
    nodes: Mapping[str, Any]
    aggregator: Any
    gone: Mapping[str, set[str]] = field(default_factory=dict)
    change: Callable[[str, str, bytes], bytes] = lambda _step, _client, message: message
    passed: list[bytes] = field(default_factory=list)
    protected: dict[str, bytes] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)

    async def run(self, updates: Mapping[str, Any]) -> Any:
        answers = await self.rounds(self.method.before, dict.fromkeys(self.session.cohort, b""))
        there = [client for client in answers if client not in self.gone.get("protect", ())]
        made = await asyncio.gather(*(self.nodes[c].protect(self.session, updates[c]) for c in there))
        self.protected = {
            c: self.change("protected", c, one.content) for c, one in zip(there, made, strict=True)
        }
        self.passed += self.protected.values()
        revealed = await self.rounds(self.method.after, self.protected)
        return await self.aggregator.sum(self.session, self.protected, revealed)

    async def rounds(self, steps: tuple[str, ...], outboxes: Mapping[str, bytes]) -> dict[str, bytes]:
        for step in steps:
            passed = self.aggregator.route(step, self.session, outboxes)
            inboxes = passed.inboxes
            self.dropped |= passed.dropped
            self.passed += inboxes.values()
            there = [client for client in inboxes if client not in self.gone.get(step, ())]
            given = [self.change(step, client, inboxes[client]) for client in there]
            answers = await asyncio.gather(
                *(
                    self.nodes[client].exchange(step, self.session, inbox)
                    for client, inbox in zip(there, given, strict=True)
                )
            )
            outboxes = {
                client: self.change(f"{step} answered", client, answer)
                for client, answer in zip(there, answers, strict=True)
            }
            self.passed += outboxes.values()
        return dict(outboxes)
