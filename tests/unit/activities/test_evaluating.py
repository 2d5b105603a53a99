"""Who is asked about a canary, and what a host says of it."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from activities.evaluating import PANEL, EvaluateVersion, Evaluating, PanelWanted, mean, panel
from activities.training import Host
from domain.learning.fleet import Candidate, Client, DataOffer
from domain.learning.policy import DataSelector, TrainerSpec
from domain.learning.tensor_file import encode
from domain.learning.trainer import Evaluation
from domain.learning.versions.policy import WORST, EvaluateOn, drawn
from domain.refusal import Refusal
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.means import MeanRows, Means

ON = EvaluateOn(TrainerSpec("mean"), DataSelector("digits"))
AT = datetime(2026, 1, 2, tzinfo=UTC)


def candidate(host, client, data="digits", rows=4, trainer="mean"):
    return Candidate(Client(client, (DataOffer(data, rows),), (trainer,)), host, "eu")


def asked(candidates, share):
    return panel(PanelWanted("digits", "v1.1", share, 7, ON), candidates)


FLEET = [candidate(f"h{n}", f"c{n}") for n in range(200)]


def test_those_are_asked_who_serve_the_canary_as_each_of_them_would_say_itself():
    hosts = {one.host for one in asked(FLEET, 0.2)}
    assert hosts == {f"h{n}" for n in range(200) if drawn("digits", "v1.1", 7, f"h{n}") < 0.2}
    assert 20 < len(hosts) < 60


def test_at_most_a_hundred_are_asked_and_at_least_one():
    assert len(asked(FLEET, 1.0)) == PANEL == 100
    (nearest,) = asked(FLEET, 1e-9)
    assert nearest.host == min((drawn("digits", "v1.1", 7, f"h{n}"), f"h{n}") for n in range(200))[1]
    assert asked([], 1.0) == ()


@pytest.mark.parametrize("changes", [{"data": "other"}, {"rows": 0}, {"trainer": "other"}])
def test_who_has_no_rows_or_no_trainer_for_it_is_not_asked(changes):
    assert asked([candidate("h1", "c1", **changes)], 1.0) == ()
    (one,) = asked([candidate("h1", "c1", **changes), candidate("h1", "c2")], 1.0)
    assert one.clients == ("c2",)


async def evaluated(canary, former, **data):
    artifacts = MemoryArtifacts()

    def named(client):
        if client not in data:
            raise Refusal("client", "is not here")
        return data[client]

    kept = []
    for given in (canary, former):
        model = given if isinstance(given, dict) else {"at": given}
        content = encode({name: np.zeros(1, np.float32) for name in model})
        values = np.array(list(model.values()), np.float32).tobytes()  # the encoder would refuse infinity
        kept.append(await artifacts.put(content[: -len(values)] + values))
    task = EvaluateVersion("h1", ("a", "b", "gone"), *kept, ON.trainer, "digits", AT, AT)
    return await Evaluating(Host(named, Means(), artifacts, None, None)).evaluate_version(task)


async def test_a_host_says_the_means_over_the_rows_of_its_clients():
    found = await evaluated(2.0, 1.0, a=MeanRows(1, 1, 1), b=MeanRows(5))
    assert (found.host, found.canary.samples) == ("h1", 4)
    assert (found.canary.loss, found.former.loss) == (1.5, 1.0)


async def test_a_canary_that_is_not_finite_is_the_worst():
    found = await evaluated(math.inf, 1.0, a=MeanRows(1))
    assert (found.canary.loss, found.former.loss) == (WORST, 0.0)


async def test_of_a_clustered_model_the_group_counts_that_fits_the_client():
    found = await evaluated({"0.at": 1.0, "1.at": 5.0}, 1.0, a=MeanRows(1), b=MeanRows(5))
    assert (found.canary.loss, found.former.loss) == (0.0, 2.0)


async def test_what_cannot_be_evaluated_is_refused_by_name():
    with pytest.raises(Refusal, match="no client here has rows of 'digits' in that time"):
        await evaluated(1.0, 1.0, a=MeanRows())
    with pytest.raises(Refusal, match="former model: holds NaN or an infinity"):
        await evaluated(1.0, math.nan, a=MeanRows(1))
    with pytest.raises(Refusal, match="canary: has no tensor 'at'"):
        await evaluated({"other": 1.0}, 1.0, a=MeanRows(1))


def test_an_accuracy_that_one_lacks_all_lack():
    both = [Evaluation(1.0, 0.5, 1), Evaluation(2.0, 1.0, 3)]
    assert mean(both) == Evaluation(1.75, 0.875, 4)
    assert mean([*both, Evaluation(0.0, None, 4)]).accuracy is None
