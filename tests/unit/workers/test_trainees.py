"""For whom a node trains: its options, its data, its conditions."""

import importlib.util
import sys
import types

import pytest

from domain.learning.fleet import DataOffer
from domain.refusal import Refusal
from workers.trainees import CONDITIONS, Conditions, Training, clients, sources, trainers
from workers.trainers import InstalledTrainers

KEY = "A" * 43 + "="


class Rows:
    def __init__(self, client):
        self.client = client

    def offers(self):
        return (DataOffer("default", len(self.client)),)

    def rows(self, *_):
        raise AssertionError("nothing is read to be announced")


@pytest.fixture(autouse=True)
def module(monkeypatch):
    made = types.ModuleType("my_rows")
    made.of_client, made.nothing, made.needs_two = Rows, lambda _: object(), lambda _, __: None
    monkeypatch.setitem(sys.modules, "my_rows", made)


def of(**more):
    return Training(**{"data": "my_rows:of_client", "trainers": ("mlp",), **more})


def test_without_data_there_is_nothing_to_train():
    assert not Training().wanted
    assert of().wanted
    assert Training(named=("a=my_rows:of_client",)).wanted


def test_an_edge_node_is_host_and_client_of_one_name():
    assert list(sources("edge-1", of())) == ["edge-1"]


@pytest.mark.parametrize(
    ("number", "names"), [(1, ["sim-0"]), (3, ["sim-0", "sim-1", "sim-2"]), (11, ["sim-00", "sim-01"])]
)
def test_virtual_clients_have_numbers_that_sort(number, names):
    found = list(sources("sim", of(clients=number)))
    assert found[: len(names)] == names
    assert found == sorted(found)
    assert len(found) == number


def test_each_client_has_the_data_that_was_made_for_it():
    found = sources("hub", of(data=None, named=("ann=my_rows:of_client", "bo=my_rows:of_client")))
    assert {name: source.client for name, source in found.items()} == {"ann": "ann", "bo": "bo"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"named": ("a=my_rows:of_client",)}, "--client: and --data name the same data twice"),
        ({"data": None, "named": ("a",)}, "--client: 'a' is not NAME=DATA"),
        ({"data": None, "named": ("a=",)}, "--client: 'a=' is not NAME=DATA"),
        ({"data": None, "named": ("a=x:y",) * 2}, "given twice"),
        ({"data": None, "named": ("a/b=x:y",)}, "--client: 'a/b' is not"),
        ({"data": None, "clients": 3}, "--clients: there is no --data for them"),
        ({"clients": 0}, "--clients: 0 is outside"),
        ({"clients": 100_001}, "--clients: 100001 is outside"),
        ({"data": "rows.csv"}, "data rows.csv: is not there; name a file, a folder or module:factory"),
        ({"data": "rows.csv", "clients": 2}, "--data: is the same rows for every client; write {client}"),
        ({"data": "no_such_module:x"}, "--data: no_such_module:x cannot be imported: ModuleNotFoundError"),
        ({"data": "my_rows:gone"}, "has no attribute 'gone'"),
        ({"data": "my_rows:needs_two"}, "missing 1 required positional argument"),
        ({"data": "my_rows:nothing"}, "makes something without `offers` or `rows`"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(options, problem):
    with pytest.raises(Refusal, match=problem):
        sources("edge-1", of(**options))


def test_what_is_announced_holds_data_conditions_and_trainers(tmp_path):
    said = of(clients=2, subject="ann", conditions=Conditions(50.0, True, None))  # as the options are
    one, two = clients(sources("sim", said), said, tmp_path, KEY)
    assert (one.id, two.id) == ("sim-0", "sim-1")
    assert one.data == (DataOffer("default", 5),)
    assert (one.subject, one.identity, one.trainers) == ("ann", KEY, ("mlp",))
    assert (one.network_mbps, one.charging, one.unmetered) == (50.0, True, None)


@pytest.mark.parametrize("there", [True, False])
def test_it_is_said_whether_the_host_can_encrypt(tmp_path, monkeypatch, there):
    def found(name):
        return object() if there or name != "tenseal" else None

    monkeypatch.setattr(importlib.util, "find_spec", found)
    (one,) = clients(sources("edge-1", of()), of(), tmp_path, KEY)
    assert one.encrypts is there


def test_the_file_of_conditions_goes_before_the_options(tmp_path):
    said = of(conditions=Conditions(charging=True, unmetered=True))
    (tmp_path / CONDITIONS).write_text('{"charging": false, "network_mbps": 3}')
    (one,) = clients(sources("edge-1", said), said, tmp_path, KEY)
    assert (one.network_mbps, one.charging, one.unmetered) == (3.0, False, True)


@pytest.mark.parametrize("text", ["", "{", '{"charging": 1}', '{"battery": 3}'])
def test_a_file_of_conditions_that_says_nothing_clear_is_refused(tmp_path, text):
    (tmp_path / CONDITIONS).write_text(text)
    with pytest.raises(Refusal, match=CONDITIONS):
        clients(sources("edge-1", of()), of(), tmp_path, KEY)


def test_without_names_all_installed_trainers_are_meant():
    installed = InstalledTrainers(found=[])
    assert trainers(("mlp",), installed) == ("mlp",)
    assert trainers((), installed) == ("logistic-regression", "mlp")
    with pytest.raises(Refusal, match="trainer: 'gone' is not installed"):
        trainers(("gone",), installed)


def test_what_a_factory_refuses_is_told(monkeypatch):
    def refuses(_):
        raise Refusal("data", "has no column y")

    sys.modules["my_rows"].refuses = refuses
    with pytest.raises(Refusal, match="has no column y"):
        sources("edge-1", of(data="my_rows:refuses"))
