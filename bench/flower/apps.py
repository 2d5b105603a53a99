"""Flower's two apps for the task, as its own documentation has them."""

import json
import os
import time
from pathlib import Path

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from task import accuracy, client_rows, fresh, trained

ROUNDS = 10
client_app = ClientApp()
server_app = ServerApp()


@client_app.train()
def train(message: Message, context: Context) -> Message:
    part, parts = int(context.node_config["partition-id"]), int(context.node_config["num-partitions"])
    x, y = client_rows(part, parts)
    model = trained(message.content["arrays"].to_numpy_ndarrays(), x, y)
    content = {"arrays": ArrayRecord(model), "metrics": MetricRecord({"num-examples": len(y)})}
    return Message(content=RecordDict(content), reply_to=message)


@server_app.main()
def main(grid: Grid, _: Context) -> None:
    ended: list[float] = [time.perf_counter()]
    x, y = client_rows(0, 1)
    seen = []

    def tell(_: int, arrays: ArrayRecord) -> MetricRecord:
        ended.append(time.perf_counter())
        seen.append(accuracy(arrays.to_numpy_ndarrays(), x, y))
        return MetricRecord({"accuracy": seen[-1]})

    clients = int(os.environ["FLOWER_CLIENTS"])
    strategy = FedAvg(fraction_evaluate=0.0, min_train_nodes=clients, min_available_nodes=clients)
    strategy.start(grid=grid, initial_arrays=ArrayRecord(fresh()), num_rounds=ROUNDS, evaluate_fn=tell)
    rounds = np.diff(ended)[1:]  # the first is the model as it began
    said = {"rounds": [round(float(each), 4) for each in rounds], "accuracy": seen[-1]}
    Path(os.environ["FLOWER_OUT"]).write_text(json.dumps(said))
