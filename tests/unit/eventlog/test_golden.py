"""The stored forms stand for ever: golden files are added, never changed and never taken away."""

import hashlib
from pathlib import Path

import pytest

from eventlog.catalogue import BY_TYPE
from eventlog.codec import decode, encode
from eventlog.upcast import UPCASTERS

GOLDEN = Path(__file__).parents[2] / "golden" / "events"
FILES = sorted(GOLDEN.glob("*.json"))
MANIFEST = GOLDEN / "manifest.sha256"


def stored_type(file):
    """`a.b.v1.json` holds the first form of that type, `a.b.v1.2.json` one with a field more."""
    return ".".join(file.name.split(".")[:3])


def value_of(file):
    return file.read_bytes().removesuffix(b"\n")


NEWEST = {stored_type(file): file for file in sorted(FILES, key=lambda file: (len(file.name), file.name))}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_golden_file_is_read_under_its_stored_name(file):
    stored = stored_type(file)
    assert f'"type":"{stored}"'.encode() in value_of(file)
    current = UPCASTERS[stored].becomes if stored in UPCASTERS else stored
    assert decode(value_of(file)).type == current


@pytest.mark.parametrize("stored", BY_TYPE)
def test_every_type_of_the_catalogue_has_a_golden_file_that_is_written_again_to_the_byte(stored):
    assert stored in NEWEST, f"add tests/golden/events/{stored}.json and its line in manifest.sha256"
    value = value_of(NEWEST[stored])
    assert encode(decode(value)) == value, f"a field was added? then add {stored}.2.json, and change no file"


@pytest.mark.parametrize("stored", UPCASTERS)
def test_every_earlier_version_has_a_golden_file(stored):
    assert stored in NEWEST


def test_the_manifest_names_every_golden_file_with_its_sum_and_no_other():
    sums = {name: digest for digest, name in map(str.split, MANIFEST.read_text().splitlines())}
    assert sums == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in FILES}
