"""The last line of a replay says how many, in words that go with the number."""

import sys

import click
import pytest

from audit.authorship import Unvouched
from audit.budgets import LedgerReplay
from audit.decisions import Passed
from audit.divergent import Divergent
from audit.learning import Learned
from audit.replayed import Replayed
from audit.unending import Unending
from audit.whatif import Retaken
from cli import audit_learning
from cli.audit_replay import _lines
from cli.audit_whatif import _whatif_lines
from domain.learning.mechanism import Mechanism
from tests.fakes.log_reader import MemoryReader
from workers import settings
from workers.replaying import Histories


def divergents(number):
    return [Divergent(f"consensus/d{n}", "id", "type", "differs") for n in range(number)]


def unvouched(number):
    return [Unvouched(f"consensus/u{n}", 3, "no history") for n in range(number)]


@pytest.mark.parametrize(
    ("divergent", "without", "said"),
    [
        (0, 0, "all agree"),
        (1, 0, "1 diverges"),
        (2, 0, "2 diverge"),
        (0, 1, "1 has no history to compare with, all else agrees"),
        (0, 2, "2 have no history to compare with, all else agrees"),
        (1, 1, "1 has no history to compare with, 1 diverges"),
        (1500, 2, "2 have no history to compare with, 1,500 diverge"),
    ],
)
def test_the_verdict_of_a_replay_counts_in_grammar(divergent, without, said):
    found = Replayed(decisions=3, divergent=divergents(divergent))
    last = _lines(found, Histories(replayed=1, streams=1, unvouched=unvouched(without))).splitlines()[-1]
    assert last == f"1 workflow history replayed, which wrote 1 stream: {said}"


@pytest.mark.parametrize(
    "only",
    [
        {"unending": Unending(ledgers={"budget/b": LedgerReplay(float)})},
        {"learned": Learned(cohorts=4, models=4)},
    ],
)
def test_where_only_a_cycle_or_a_ledger_was_taken_again_no_votes_are_counted(only):
    assert "decision" not in _lines(Replayed(**only), Histories(replayed=1, streams=1))
    assert "1 decision, 0 dockets" in _lines(Replayed(decisions=1, **only), Histories(replayed=1, streams=1))


@pytest.mark.parametrize(
    ("number", "diverging", "stopping"),
    [
        (1, "1 that diverges is left out, see", "1 that stops at a record which does not follow is left out"),
        (2, "2 that diverge are left out, see", "2 that stop at a record which does not follow are left out"),
    ],
)
def test_what_a_trial_leaves_out_is_counted_in_grammar(number, diverging, stopping):
    stopped = {f"consensus/s{n}": "stops" for n in range(number)}
    found = Retaken(divergent=["consensus/d"] * number, passed=Passed(stopped=stopped))
    said = f"0 of 0 decisions would differ; {diverging} `moot audit replay --all`; {stopping}"
    assert _whatif_lines(found) == said


def test_an_accountant_that_is_not_installed_ends_the_command_and_makes_nothing_diverge(monkeypatch):
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    grounds = audit_learning.grounds(settings.load(needs=()), MemoryReader())
    with pytest.raises(click.ClickException, match=r"pip install 'folkmoot\[learning\]'"):
        grounds.epsilon((Mechanism(3.375),), 1e-5)
