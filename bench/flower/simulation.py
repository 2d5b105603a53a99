"""Flower's simulation of the task, in this process and those it starts; apps.py says each round's seconds."""

import os

from apps import client_app, server_app
from flwr.simulation import run_simulation

if __name__ == "__main__":
    run_simulation(
        server_app=server_app,
        client_app=client_app,
        num_supernodes=int(os.environ["FLOWER_CLIENTS"]),
        backend_config={"client_resources": {"num_cpus": 1, "num_gpus": 0.0}},
    )
