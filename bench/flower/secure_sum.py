"""Flower's SecAgg+ in one process, its own workflow and client code: seconds at the server and at a client.

Arguments: clients, numbers in an update, share of clients that drop out after the shares were sent.
"""

import copy
import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from flwr.app import Context, Message, RecordDict
from flwr.client.mod import secaggplus_mod
from flwr.common import Code, FitRes, Status, ndarrays_to_parameters
from flwr.compat.common import recorddict_compat as compat
from flwr.server.compat import LegacyContext
from flwr.server.workflow import SecAggPlusWorkflow
from flwr.supercore.task_identity import TaskIdentity

STAGES = ("setup", "shares", "masked", "unmask")


class Clients:
    """The grid: every message goes to its client's own code, here and now; the third stage loses some."""

    def __init__(self, contexts: dict[int, Context], numbers: int, dropped: int) -> None:
        self.contexts, self.numbers, self.dropped = contexts, numbers, dropped
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.sent = 0
        self.copying = 0.0
        self.stage = 0

    def send_and_receive(self, messages: list[Message], **_: object) -> list[Message]:
        stage = STAGES[self.stage]
        self.stage += 1
        if stage == "masked":
            messages = sorted(messages, key=lambda one: one.metadata.dst_node_id)[self.dropped :]
        copying = time.perf_counter()
        messages = [copy.deepcopy(one) for one in messages]  # a client takes its message apart
        self.copying += time.perf_counter() - copying
        began = time.perf_counter()
        answers = [
            secaggplus_mod(one, self.contexts[one.metadata.dst_node_id], self._fit) for one in messages
        ]
        self.seconds[stage] += time.perf_counter() - began
        self.sent += sum(_size(answer.content) for answer in answers)
        return answers

    def _fit(self, message: Message, _: Context) -> Message:
        update = np.random.default_rng(message.metadata.dst_node_id).normal(0, 0.01, self.numbers)
        result = FitRes(Status(Code.OK, ""), ndarrays_to_parameters([update.astype(np.float32)]), 10, {})
        return Message(compat.fitres_to_recorddict(result, keep_input=False), reply_to=message)


def _size(content: RecordDict) -> int:
    """Bytes of what a client answered."""
    total = 0
    for record in content.config_records.values():
        for value in record.values():
            parts = value if isinstance(value, list) else [value]
            total += sum(len(part) if isinstance(part, (bytes, str)) else 8 for part in parts)
    return total


def main() -> None:
    TaskIdentity.task_id, TaskIdentity.run_id, TaskIdentity.node_id = (
        1,
        1,
        0,
    )  # what its own processes are told at their start
    count, numbers, share = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    ids = list(range(1, count + 1))
    clients = Clients({each: _context(each) for each in ids}, numbers, round(count * share))
    workflow = SecAggPlusWorkflow(num_shares=1.0, reconstruction_threshold=0.6)
    began = time.perf_counter()
    workflow(clients, _server(ids, numbers))
    total = time.perf_counter() - began
    if clients.stage != len(STAGES):
        raise SystemExit("it halted before its last stage")
    spent = sum(clients.seconds.values())
    kept = count - round(count * share)
    said = {
        "server": total - spent - clients.copying,
        "client": clients.seconds["masked"] / kept + (spent - clients.seconds["masked"]) / count,
        "bytes": clients.sent / count / (4 * numbers),
    }
    Path(os.environ["FLOWER_OUT"]).write_text(json.dumps(said))


def _context(node: int) -> Context:
    return Context(run_id=1, node_id=node, node_config={}, state=RecordDict(), run_config={}, series_id=0)


def _server(ids: list[int], numbers: int) -> LegacyContext:
    from flwr.app import ConfigRecord
    from flwr.server.workflow.constant import MAIN_CONFIGS_RECORD, MAIN_PARAMS_RECORD, Key

    model = ndarrays_to_parameters([np.zeros(numbers, np.float32)])
    context = _context(0)
    context.state.config_records[MAIN_CONFIGS_RECORD] = ConfigRecord({Key.CURRENT_ROUND: 1})
    context.state.array_records[MAIN_PARAMS_RECORD] = compat.parameters_to_arrayrecord(model, keep_input=True)
    proxies = [SimpleNamespace(node_id=each, cid=str(each)) for each in ids]
    from flwr.common import FitIns

    strategy: Any = SimpleNamespace(
        configure_fit=lambda *_: [(proxy, FitIns(model, {})) for proxy in proxies],
        aggregate_fit=lambda _round, results, _failures: (results[0][1].parameters, {}),
    )
    return LegacyContext(context, strategy=strategy)


if __name__ == "__main__":
    main()
