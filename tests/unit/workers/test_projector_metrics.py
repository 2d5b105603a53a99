"""What nobody knows at this moment is not shown as what was known last."""

from math import isnan

import pytest

from projections.standing import Stand
from workers.projector_metrics import ProjectorMetrics

HERE = ("decisions", 0)
ALL_IS_WELL = Stand({HERE: 7}, frozenset(), frozenset())


@pytest.fixture
def metrics():
    metrics = ProjectorMetrics()
    metrics.standing(*HERE, 5)
    metrics.measured(*HERE, 9)
    metrics.stands(ALL_IS_WELL)
    return metrics


def value(metrics, name):
    return metrics.registry.get_sample_value(f"folkmoot_{name}", {"topic": "decisions", "partition": "0"})


def test_a_lag_is_what_lies_between_the_end_of_the_log_and_where_we_stand(metrics):
    assert [value(metrics, name) for name in ("projector_lag", "sealer_lag")] == [4, 2]


def test_while_kafka_is_away_no_lag_is_known_and_then_it_is_again(metrics):
    metrics.unmeasured()
    metrics.stands(ALL_IS_WELL)
    assert isnan(value(metrics, "projector_lag"))
    assert isnan(value(metrics, "sealer_lag"))
    metrics.measured(*HERE, 9)
    metrics.stands(ALL_IS_WELL)
    assert [value(metrics, name) for name in ("projector_lag", "sealer_lag")] == [4, 2]


def test_what_stands_still_is_1_and_0_when_it_goes_on(metrics):
    names = ("projector_refused", "sealing_stopped")
    assert [value(metrics, name) for name in names] == [0, 0]
    metrics.stands(Stand({HERE: 7}, frozenset({HERE}), frozenset({HERE})))
    assert [value(metrics, name) for name in names] == [1, 1]
    metrics.stands(ALL_IS_WELL)
    assert [value(metrics, name) for name in names] == [0, 0]


def test_while_postgres_is_away_nobody_knows_what_stands_still(metrics):
    metrics.unknown()
    assert all(isnan(value(metrics, name)) for name in ("projector_refused", "sealing_stopped", "sealer_lag"))
    assert value(metrics, "projector_lag") == 4
