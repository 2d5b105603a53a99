"""Ports are remembered while they are free, and a busy one is named."""

import json
import socket
from collections.abc import Iterator

import pytest

from domain.refusal import Refusal
from workers.embedded import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((ports.HOST, ports.free()))
        listener.listen()
        yield listener.getsockname()[1]


def test_the_same_folder_gets_the_same_ports_again(tmp_path):
    assert ports.settle(tmp_path, "auto") == ports.settle(tmp_path, "auto")


def test_all_ports_of_a_stack_differ(tmp_path):
    chosen = ports.settle(tmp_path, "auto")
    found = [getattr(chosen, name) for name in chosen.__slots__]
    assert len(set(found)) == len(found)


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path, taken):
    (tmp_path / ports.NAME).write_text(json.dumps({"kafka": taken}))
    assert ports.settle(tmp_path, "auto").kafka != taken


@pytest.mark.parametrize("stored", ["", "[]", "null", '{"kafka": "x"}', '{"kafka": null}', '{"colour": 1}'])
def test_a_file_that_cannot_be_read_is_written_anew(tmp_path, stored):
    (tmp_path / ports.NAME).write_text(stored)
    assert ports.settle(tmp_path, "auto") == ports.settle(tmp_path, "auto")


def test_a_busy_default_port_is_refused_by_number_with_the_way_out(tmp_path, taken, monkeypatch):
    monkeypatch.setattr(ports, "TEMPORAL_DEFAULT", taken)
    monkeypatch.setattr(ports, "UI_DEFAULT", ports.free())
    with pytest.raises(Refusal, match=rf"{taken} \(Temporal\).*--ports auto"):
        ports.settle(tmp_path, "default")


def test_default_ports_may_be_busy_when_temporal_runs_elsewhere(tmp_path, taken, monkeypatch):
    monkeypatch.setattr(ports, "TEMPORAL_DEFAULT", taken)
    ports.settle(tmp_path, "default", temporal_elsewhere=True)


def test_a_port_that_is_taken_is_busy_and_a_free_one_is_not(taken):
    assert ports.busy(taken)
    assert not ports.busy(ports.free())
