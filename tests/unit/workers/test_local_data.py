"""A client's own files as data sets: what is offered, which rows of a time are given, what is refused."""

import os
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.data_schema import data_schema
from domain.learning.fleet import DataOffer
from domain.refusal import Refusal
from workers.data_files import microseconds
from workers.local_data import FileData, local_data

DAY = datetime(2026, 5, 1, tzinfo=UTC)
EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
X = np.arange(8.0).reshape(4, 2)
Y = np.arange(4)
HOURS = [DAY + timedelta(hours=hour) for hour in range(4)]
SECONDS = np.array([at.timestamp() for at in HOURS])
CSV = "x.1,y,x.0,time\n" + "".join(
    f"{x[1]},{y},{x[0]},{at.isoformat()}\n" for x, y, at in zip(X, Y, HOURS, strict=True)
)


@pytest.fixture
def npz(tmp_path):
    """Writes arrays into a file of a folder and gives the data in the file."""
    numbers = count()

    def write(**arrays):
        path = tmp_path / f"rows-{next(numbers)}.npz"
        np.savez(path, **arrays)
        return FileData(path)

    return write


def test_rows_of_the_time_asked_for_are_given_the_first_moment_in_and_the_last_out(npz):
    data = npz(x=X, y=Y, time=SECONDS)
    rows = data.rows("default", HOURS[1], HOURS[3])
    assert rows.keys() == {"x", "y"}
    assert rows["x"].tolist() == X[1:3].tolist()
    assert rows["y"].tolist() == [1, 2]
    assert data.rows("default", HOURS[1], HOURS[1])["y"].size == 0


@given(
    times=st.lists(st.integers(0, 2_000_000_000_000_000), max_size=20),
    cuts=st.lists(st.integers(0, 2_000_000_000_000_000), min_size=2, max_size=6).map(sorted),
)
def test_ranges_that_meet_share_no_row_and_lose_none(tmp_path_factory, times, cuts):
    path = tmp_path_factory.getbasetemp() / "ranges.npz"
    np.savez(path, row=np.arange(len(times)), time=np.array(times, "datetime64[us]"))
    moments = [EVER[0] + timedelta(microseconds=cut) for cut in cuts]
    data = FileData(path)
    found = [
        row
        for since, until in pairwise(moments)
        for row in data.rows("default", since, until)["row"].tolist()
    ]
    assert sorted(found) == [row for row, at in enumerate(times) if cuts[0] <= at < cuts[-1]]


@pytest.mark.parametrize(
    "time",
    [
        SECONDS,
        SECONDS.astype(np.int64),
        np.array([at.isoformat() for at in HOURS]),
        np.array([at.isoformat().replace("+00:00", "") for at in HOURS]),
        np.array([at.astimezone().isoformat().replace("+00:00", "Z") for at in HOURS]),
        np.array([str(at.timestamp()) for at in HOURS]),
        np.array([at.replace(tzinfo=None) for at in HOURS], "datetime64[ns]"),
    ],
    ids=["seconds", "whole seconds", "ISO", "ISO without a zone", "ISO with Z", "text seconds", "datetime64"],
)
def test_every_form_of_time_means_the_same(npz, time):
    data = npz(x=X, time=time)
    assert data.rows("default", HOURS[1], HOURS[2])["x"].tolist() == X[1:2].tolist()
    last = HOURS[3] + timedelta(microseconds=1)
    assert data.offers() == (DataOffer("default", 4, 1.0, HOURS[0], last),)
    assert len(data.rows("default", HOURS[0], last)["x"]) == 4


def test_rows_without_a_time_are_of_when_the_file_was_last_written(npz, tmp_path):
    data = npz(x=X)
    path = next(tmp_path.iterdir())
    os.utime(path, ns=(0, microseconds(DAY) * 1_000))
    assert data.offers()[0].since == DAY
    assert len(data.rows("default", DAY, DAY + timedelta(microseconds=1))["x"]) == 4
    assert len(data.rows("default", DAY - timedelta(days=7), DAY)["x"]) == 0


def test_a_csv_says_the_same_as_arrays(npz, tmp_path):
    (tmp_path / "rows.csv").write_text("\ufeff" + CSV + "\n")
    data, arrays = FileData(tmp_path / "rows.csv"), npz(x=X, y=Y.astype(float), time=SECONDS)
    assert data.offers() == arrays.offers()
    one, other = (each.rows("default", *EVER) for each in (data, arrays))
    assert {name: array.tolist() for name, array in one.items()} == {
        name: array.tolist() for name, array in other.items()
    }
    assert data.schema("default") == arrays.schema("default")


def test_quality_is_the_share_of_rows_that_are_finite_and_labelled_and_only_those_train(npz, tmp_path):
    x = X.copy()
    x[0, 1] = np.nan
    data = npz(x=x, y=np.array([0, 1, np.nan, 3]), time=SECONDS)
    assert data.offers() == (DataOffer("default", 4, 0.5, HOURS[1], HOURS[3] + timedelta(microseconds=1)),)
    assert data.rows("default", *EVER)["y"].tolist() == [1, 3]
    (tmp_path / "rows.csv").write_text("x,y,time\n1,0,\n2, ,2026-05-01\ninf,1,2026-05-01\n4,0,2026-05-01\n")
    table = FileData(tmp_path / "rows.csv")
    assert table.offers()[0].quality == 0.25
    assert table.rows("default", *EVER)["x"].tolist() == [4]


@pytest.mark.parametrize("time", [np.array([]), np.array([np.nan]), np.array(["NaT"], "datetime64[s]")])
def test_a_set_without_a_usable_row_is_offered_as_such(npz, time):
    assert npz(x=np.zeros(len(time)), time=time).offers() == (DataOffer("default", len(time), 0.0),)


def test_a_folder_offers_each_of_its_files_by_name(tmp_path):
    np.savez(tmp_path / "plant-1.npz", x=X)
    (tmp_path / "default.csv").write_text(CSV)
    (tmp_path / "notes.txt").write_text("not data")
    data = local_data(str(tmp_path), "edge-1")
    assert [offer.name for offer in data.offers()] == ["default", "plant-1"]
    with pytest.raises(Refusal, match=r"data.name: 'pump' is no data set here; there are default, plant-1"):
        data.rows("pump", *EVER)


def test_a_file_that_was_written_again_is_read_again_and_else_not(npz, tmp_path, monkeypatch):
    data = npz(x=X)
    path = next(tmp_path.iterdir())
    assert len(data.rows("default", *EVER)["x"]) == 4
    np.savez(path, x=X[:3])
    assert len(data.rows("default", *EVER)["x"]) == 3
    monkeypatch.setattr("workers.local_data.read_table", None)
    assert len(data.rows("default", *EVER)["x"]) == 3


def test_the_schema_is_of_names_types_and_shapes_and_not_of_values(npz):
    said = npz(x=X, y=Y, time=SECONDS).schema("default")
    assert said == npz(x=X + 1, y=Y, time=SECONDS + 1).schema("default") == data_schema({"y": Y, "x": X[:1]})
    others = [{"x": X[:, :1], "y": Y}, {"x": X.astype("f4"), "y": Y}, {"z": X, "y": Y}, {"x": X}]
    assert len({said, *(data_schema(other) for other in others)}) == 5


def pickled(path):
    np.savez(path, x=np.array([{}], object))


def asking_for(shape):
    """An array's header that a forger wrote: it may ask for anything."""

    def write(path):
        said = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
        head = said.ljust(245).encode() + b"\n"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("x.npy", b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head + bytes(80))

    return write


def one_array(path):
    with path.open("wb") as file:
        np.save(file, X)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.npz", b"rows", "is no .npz file of plain arrays: "),
        ("a.npz", b"PK\x03\x04", "is no .npz file of plain arrays: "),
        ("a.npz", b"", "is no .npz file of plain arrays: No data left in file"),
        ("a.npz", pickled, "is no .npz file of plain arrays: Object arrays cannot be loaded"),
        ("a.npz", one_array, "does not hold named arrays only"),
        ("a.npz", {"x": X, "y": Y[:3]}, "has arrays of different length: x 4, y 3"),
        ("a.npz", {"x": np.array(1.0)}, "has arrays of different length: x None"),
        ("a.npz", {"time": SECONDS}, "holds no array but time"),
        ("a.npz", {"x": np.array(["a"])}, "the array 'x' is <U1, which is no number"),
        ("a.npz", {"x": X, "time": X}, "time is no single column"),
        (
            "a.npz",
            {"x": X, "time": SECONDS * 1e3},
            "time is beyond the year 9999; it is in seconds since 1970",
        ),
        ("a.npz", {"x": X, "time": Y.astype(complex)}, "time is complex128, neither Unix seconds nor ISO"),
        (
            "a.npz",
            asking_for("(1000000000000000,)"),
            "is no .npz file of plain arrays: Unable to allocate",
        ),
        (
            "a.npz",
            asking_for("(0, 99999999999999999999)"),
            "plain arrays: Python int too large",
        ),
        ("a.npz", asking_for("(" * 20), "is no .npz file of plain arrays: "),
        ("a.npz", {"\x1b[31mx": X}, r"names an array '\\x1b\[31mx', with letters that cannot be shown"),
        ("a.csv", b"x\x1b[31m,y\n1,2\n", r"names an array 'x\\x1b\[31m', with letters that cannot be shown"),
        ("a.csv", b"", "is empty; its first line names the columns"),
        ("a.csv", b"x,y\n\xff,1\n", "is no CSV in UTF-8"),
        ("a.csv", b'x,y\n"1,1\n', "is no CSV in UTF-8: unexpected end of data"),
        ("a.csv", b"x,x\n1,2\n", "names a column twice"),
        ("a.csv", b"x,\n1,2\n", "names a column twice, or not at all"),
        ("a.csv", b"x,y\n1,2\n1\n", "has 1 values in row 3, not 2"),
        ("a.csv", b"x,y\n1,2\n,\n1,a\x1bb\n", r"column 'y' in row 4 has 'a\\x1bb', which is no number"),
        ("a.csv", b"x.0,x.2\n1,2\n", "has columns 'x.N' that do not count from 0 without a gap"),
        ("a.csv", b"x.0,x\n1,2\n", "has columns 'x.N' that do not count"),
        ("a.csv", b"x,time\n1,May\n", "row 2 has the time 'May': which is no time"),
        (
            "a.csv",
            b"x,time\n1,1777593600000\n",
            "row 2 has the time '1777593600000': time is beyond the year",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line_that_names_it(tmp_path, name, content, problem):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict):
        np.savez(path, **content)
    else:
        content(path)
    with pytest.raises(Refusal, match=problem) as refused:
        FileData(path).offers()
    assert "\n" not in str(refused.value)
    assert refused.value.field == f"data {path}"


def test_a_file_that_is_gone_is_named(npz, tmp_path):
    data = npz(x=X)
    next(tmp_path.iterdir()).unlink()
    with pytest.raises(Refusal, match=r"rows-0.npz: is not there"):
        data.rows("default", *EVER)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ((), "holds no .npz or .csv file"),
        (("a b.csv",), "'a b' is not 1 to 128 letters, digits"),
        (("a.csv", "a.npz"), "has two files of one name"),
    ],
)
def test_a_folder_without_names_for_its_sets_is_refused_at_once(tmp_path, names, problem):
    for name in names:
        (tmp_path / name).write_text("x\n1\n")
    with pytest.raises(Refusal, match=problem):
        FileData(tmp_path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "rows.parquet").touch()
    with pytest.raises(Refusal, match=r"rows.parquet: holds no .npz or .csv file"):
        local_data(str(tmp_path / "rows.parquet"), "edge-1")


def test_each_client_may_have_a_file_of_its_own(tmp_path):
    for number in range(3):
        np.savez(tmp_path / f"sim-{number}.npz", x=X[: number + 1])
    place = str(tmp_path / "{client}.npz")
    found = [local_data(place, f"sim-{number}").offers()[0].rows for number in range(3)]
    assert found == [1, 2, 3]


SOURCE = """
class Plant:
    def offers(self): return ()
    def rows(self, name, since, until): return {}
def plant(client): return Plant()
def broken(client): raise OSError("no line to the plant of " + client)
def refusing(client):
    from domain.refusal import Refusal
    raise Refusal("plant", "is closed")
"""


def test_a_module_of_ones_own_gives_data_too(tmp_path, monkeypatch):
    (tmp_path / "plant_of_a_test.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert local_data("plant_of_a_test:plant", "edge-1").offers() == ()
    for name, problem in (
        ("broken", "makes no data: OSError: no line to the plant of edge-1"),
        ("gone", "cannot be imported: AttributeError"),
        ("Plant", "makes no data: TypeError"),
    ):
        with pytest.raises(Refusal, match=f"--data: plant_of_a_test:{name} {problem}"):
            local_data(f"plant_of_a_test:{name}", "edge-1")
    with pytest.raises(Refusal, match="plant: is closed"):
        local_data("plant_of_a_test:refusing", "edge-1")
    with pytest.raises(Refusal, match="--data: builtins:str makes something without `offers` or `rows`"):
        local_data("builtins:str", "edge-1")
    del sys.modules["plant_of_a_test"]
