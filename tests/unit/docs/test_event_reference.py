"""The published reference says what the code does: the page, the JSON Schema and the AsyncAPI document."""

import json
from pathlib import Path

import jsonschema
import pytest

from docs.generate.event_schema import CLASSES, asyncapi, json_schema
from docs.generate.events import documents, golden
from docs.generate.glossary import MEANINGS
from docs.generate.meaning import Unexplained, meaning, names, parts
from eventlog.catalogue import BY_TYPE
from eventlog.topics import REGIONAL, TOPICS
from tests.unit.eventlog.test_undecodable import BROKEN

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "events"
EXAMPLES = golden()
MADE = documents(EXAMPLES)
SCHEMA = jsonschema.Draft202012Validator(
    json_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
# What a schema of one value can see; the rest (bytes, NUL, policies that contradict themselves) it cannot.
BROKEN_FOR_A_SCHEMA = [
    "a list",
    "null",
    "no attribute at all",
    "an unknown type",
    "a later version",
    "a missing field",
    "no data",
    "a foreign attribute",
    "a wrong type",
    "a bool for a number",
    "a wrong member",
    "version 0",
    "version 2^31",
    "an id that is no UUID",
    "an id in upper case",
    "no stream",
    "a number for a time",
    "another CloudEvents",
    "no source",
    "an unknown status",
    "a wrong value under a key",
]


@pytest.mark.parametrize("file", MADE)
def test_the_committed_reference_is_the_one_that_the_code_makes(file):
    committed = (ROOT / "docs" / "reference" / file).read_text("utf-8")
    assert committed == MADE[file], "run `make docs`"


@pytest.mark.parametrize("stored", CLASSES)
def test_every_stored_type_is_on_the_page(stored):
    assert f"\n### {stored}\n" in MADE["events.md"]


def test_every_field_is_explained_and_no_explanation_is_left_over():
    every = {part for cls in CLASSES.values() for part in parts(cls)}
    explained = {(part.__name__, name): meaning(part, name) for part in every for name in names(part)}
    assert all(said.endswith(".") for said in explained.values())
    used = {name for _, name in explained} | {f"{cls}.{name}" for cls, name in explained}
    assert not MEANINGS.keys() - used


def test_a_field_that_nobody_explains_is_an_error():
    with pytest.raises(Unexplained, match=r"Decided\.nonsense"):
        meaning(BY_TYPE["consensus.decided.v1"], "nonsense")


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.json")), ids=lambda file: file.stem)
def test_every_golden_event_fits_the_schema(file):
    SCHEMA.validate(json.loads(file.read_bytes()))


@pytest.mark.parametrize("case", BROKEN_FOR_A_SCHEMA)
def test_a_broken_event_does_not_fit_the_schema(case):
    assert not SCHEMA.is_valid(json.loads(BROKEN[case][0]))


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from references(each)


@pytest.mark.parametrize("document", [json_schema(), asyncapi("0", EXAMPLES)], ids=["schema", "asyncapi"])
def test_every_reference_leads_somewhere(document):
    found = set(references(document))
    assert found
    for reference in found:
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_the_asyncapi_document_has_every_topic_and_each_message_in_one_of_them():
    document = asyncapi("0", EXAMPLES)
    assert document["asyncapi"] == "3.0.0"
    assert document["channels"].keys() == {*TOPICS, *REGIONAL}
    assert document["channels"]["context"]["address"] == "context.{region}"
    carried = [name for channel in document["channels"].values() for name in channel["messages"]]
    assert sorted(carried) == sorted(CLASSES)
    assert document["components"]["messages"].keys() == CLASSES.keys()
