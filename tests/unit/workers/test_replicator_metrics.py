"""What the replicator says of a way: how long ago the target had everything."""

import math
import time

from workers.replicator_metrics import ReplicatorMetrics

WAY = ("eu", "us", "immediate")
LABELS = dict(zip(("source_region", "target_region", "context_type"), WAY, strict=True))


def lag(numbers):
    return numbers.registry.get_sample_value("context_synchronization_lag", LABELS)


def test_the_lag_is_unknown_at_first_and_grows_from_the_oldest_write_that_waits():
    numbers = ReplicatorMetrics()
    numbers.begins(WAY)
    assert math.isnan(lag(numbers))
    numbers.waits(WAY, time.time() - 60)
    assert 60 <= lag(numbers) < 70
    numbers.waits(WAY, time.time())
    assert lag(numbers) >= 60


def test_what_was_reached_is_never_taken_back_and_a_clock_ahead_gives_no_negative_lag():
    numbers = ReplicatorMetrics()
    numbers.begins(WAY)
    numbers.reached(WAY, time.time() - 5)
    numbers.reached(WAY, time.time() - 500)
    assert 5 <= lag(numbers) < 15
    numbers.reached(WAY, time.time() + 600)
    assert lag(numbers) < 10


def test_a_write_from_the_future_does_not_hide_what_waits_after_it(monkeypatch):
    numbers = ReplicatorMetrics()
    numbers.begins(WAY)
    numbers.waits(WAY, time.time() + 1e9)
    numbers.reached(WAY, time.time() + 1e9)
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert lag(numbers) >= 50
