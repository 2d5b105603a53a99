"""Rows of an import: read strictly, named where they are broken, known again after a stop."""

import json

import pytest

from domain.context.commands import PutContext
from workers.accepting import Accepting
from workers.context_import import BrokenRow, Imported, import_file
from workers.deciding import Deciding, Rules, Wanted
from workers.outbox import Outbox

ROW = {"layer": "cultural", "key": "k", "value": 1}


class Client:
    """What an import needs of a client, without servers."""

    def __init__(self, file):
        self.outbox = Outbox.open(file, "eu", "eu-1")
        self._accepting = Accepting(self.outbox, Deciding(self.outbox, "eu-1", "eu", Rules(), lambda: 1))

    async def __aenter__(self):
        self._accepting.start()
        return self

    async def __aexit__(self, *error):
        await self._accepting.stop()
        self.outbox.close()

    async def marks(self):
        return self.outbox.marks()

    async def put_many(self, commands, *, marks):
        return await self._accepting.put([Wanted(command) for command in commands], marks)


@pytest.fixture
async def client(tmp_path):
    async with Client(tmp_path / "eu-1.db") as made:
        yield made


@pytest.fixture
def file(tmp_path):
    return tmp_path / "rows.jsonl"


async def taken(client, file, **options):
    return await import_file(client, file, "ann", progress=lambda *_: None, **options)


def values(client):
    return [json.loads(one.event)["data"]["value"] for one in client.outbox.unsent(10_000)]


BROKEN = {
    '{"layer": "cultural", "key": "k"}': "line 2: value: is missing",
    '{"layer": "cultural", "key": "k", "value": 1, "color": 2}': "line 2: color: is no field",
    '{"layer": "urgent", "key": "k", "value": 1}': "line 2: layer: 'urgent' is none of immediate",
    '{"layer": "cultural", "key": true, "value": 1}': "line 2: key: is not text",
    '{"layer": "cultural", "key": "k", "value": 1, "ttl_seconds": true}': "line 2: ttl_seconds: is not",
    '{"layer": "cultural", "key": "k", "value": 1, "flags": [1]}': "line 2: flags: is not a list of flags",
    '{"layer": "cultural", "key": "k", "value": 1, "flags": ["x"]}': "line 2: flags: 'x' is none of",
    '{"layer": "cultural", "key": "k", "value": 1, "value": 2}': "line 2: row: holds the field",
    '{"layer": "cultural", "key": "k", "value": NaN}': "line 2: row: holds NaN",
    '["cultural", "k", 1]': "line 2: row: is no JSON object",
    '{"layer": ': "line 2: row: is not JSON",
    '{"layer": "cultural", "key": "k", "value": 1, "if_version": "eu-1:9"}': "line 2: if_version: is eu-1:9",
    json.dumps({**ROW, "value": "x" * 70_000}): "line 2: value: has 70002 bytes as JSON",
    json.dumps({**ROW, "value": "x" * 600_000}): "line 2: row: 524289 bytes are too many",
}


async def test_a_broken_row_is_named_by_line_and_field_and_neither_it_nor_a_later_one_is_taken(client, file):
    for number, (row, said) in enumerate(BROKEN.items(), 1):
        file.write_text(f"{json.dumps({**ROW, 'value': number})}\n{row}\n{json.dumps(ROW)}\n")
        with pytest.raises(BrokenRow) as broken:
            await taken(client, file)
        assert str(broken.value).startswith(said)
        assert values(client) == list(range(1, number + 1))


async def test_once_the_row_is_mended_the_import_goes_on_there(client, file):
    file.write_text(f"{json.dumps(ROW)}\n{{}}\n")
    with pytest.raises(BrokenRow):
        await taken(client, file)
    mended = [json.dumps({**ROW, "value": number}) for number in (2, 3)]
    file.write_text(f"{json.dumps(ROW)}\n{mended[0]}\n\n{mended[1]}")
    assert await taken(client, file) == Imported(2, 1)
    assert values(client) == [1, 2, 3]
    assert await taken(client, file) == Imported(0, 4)


async def test_another_file_is_no_continuation_and_again_begins_anew(client, file):
    lines = [json.dumps({**ROW, "value": number}) + "\n" for number in range(4)]
    file.write_text("".join(lines[:2]))
    await taken(client, file)
    file.write_text("".join(lines[1:]))
    assert await taken(client, file) == Imported(3, 0)
    assert await taken(client, file, again=True) == Imported(3, 0)
    assert await taken(client, file) == Imported(0, 3)
    file.write_text("".join(lines[:2]))
    assert await taken(client, file) == Imported(0, 2)
    assert values(client) == [0, 1, 1, 2, 3, 1, 2, 3]


async def test_an_empty_file_has_no_rows(client, file):
    file.write_text("\n\n")
    assert await taken(client, file) == Imported(0, 0)


async def test_a_row_holds_all_that_a_put_may_say(client, file, monkeypatch):
    said = []

    async def put_many(commands, *, marks):
        said.extend(commands)
        return commands

    monkeypatch.setattr(client, "put_many", put_many)
    more = {"writer": "bob", "flags": ["historical"], "ttl_seconds": 2.5, "if_version": "none"}
    file.write_text(f"{json.dumps({**ROW, **more})}\n{json.dumps({**ROW, 'value': None})}\n")
    assert await taken(client, file) == Imported(2, 0)
    assert said == [
        PutContext("cultural", "k", 1, "bob", ("historical",), 2.5, "none"),
        PutContext("cultural", "k", None, "ann"),
    ]


async def test_a_file_that_is_not_there_is_the_worlds_fault(client, file):
    with pytest.raises(FileNotFoundError):
        await taken(client, file)
