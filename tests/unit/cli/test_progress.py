"""How far long work is, told part by part."""

from cli import progress
from cli.progress import Progress


def test_work_in_two_parts_names_the_one_that_is_under_way(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with Progress("records verified") as shown:
        shown.show(1_000, 2_000)
        shown.begin("records folded again")
        shown.show(5, 10)
    assert capsys.readouterr().err == "1,000 of 2,000 records verified\n5 of 10 records folded again\n"
