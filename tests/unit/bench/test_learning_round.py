"""What is said of rounds and of secure sums that were measured; nothing is measured here."""

import pytest

from bench import flower_peer, learning_round, secure_sum
from bench.flower_peer import Peer
from bench.secure_attempt import Took


@pytest.fixture
def flower(monkeypatch):
    """Flower, whose scripts end as they are told to."""
    told = {}

    def run(script, *_, clients=0):
        answer = told.get((script, clients), RuntimeError(f"Flower's {script} failed: no port"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(flower_peer, "there", lambda: True)
    monkeypatch.setattr(flower_peer, "run", run)
    return told


def test_a_peer_that_fails_takes_along_no_figure_but_its_own(flower):
    flower["simulation.py", 10] = Peer({"rounds": [5.0, 0.2, 0.1, 0.3], "accuracy": 0.9}, 900.0)
    told = {figure.name: figure for figure in learning_round._flowers()}
    assert told["Flower's simulation, 10 clients: a round"].value == pytest.approx(0.2)
    assert "0.900 of the digits right" in told["Flower's simulation, 10 clients: a round"].note
    assert told["Flower's simulation, 100 clients"].note.startswith(
        "no result: Flower's simulation.py failed"
    )
    assert "no result" in secure_sum.flowers(3)[0].note


def test_a_clients_time_is_that_of_one_who_did_every_step():
    gone = dict.fromkeys("abcd", 0.01)
    assert Took(client={**gone, "e": 0.04, "f": 0.05, "g": 0.06}, stayed=("e", "f", "g")).whole_client == 0.05
