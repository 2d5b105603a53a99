"""What every trainer promises, whoever wrote it; its rows are three separate heaps of points."""

import numpy as np

from domain.learning.tensors import check_tensors, digest
from domain.learning.trainer import LocalPlan

HEAPS = {"features": 4, "classes": 3}


def heaps(count=90):
    """`count` rows of three classes that are easily told apart."""
    y = np.arange(count) % 3
    noise = np.random.default_rng(5).normal(scale=0.2, size=(count, 4))
    return {"x": np.eye(4)[y] * 2 + noise, "y": y}


def keeps_its_promises(trainer, settings=HEAPS, epochs=20):
    """Fails with the promise that is broken."""
    schema, rows = trainer.schema(settings), heaps()
    assert [spec.name for spec in schema] == sorted({spec.name for spec in schema})
    first = trainer.initial(settings, 1)
    check_tensors(schema, first)
    assert digest(first) == digest(trainer.initial(settings, 1))
    given = {name: array.copy() for name, array in first.items()}
    for array in given.values():
        array.flags.writeable = False  # as it comes from an artifact
    told = []

    def tell(done, planned):
        told.append((done, planned))
        return True

    plan = LocalPlan(epochs, 10, 0.1, 7)
    fitted = trainer.fit(given, rows, settings, plan, tell)
    check_tensors(schema, fitted.model)
    assert digest(given) == digest(first), "the model that was given is another now"
    assert told[-1] == (fitted.steps, fitted.planned) == (fitted.planned,) * 2
    assert digest(trainer.fit(given, rows, settings, plan, tell).model) == digest(fitted.model)
    before, after = (trainer.evaluate(model, rows, settings) for model in (given, fitted.model))
    assert (fitted.samples, fitted.loss) == (before.samples, before.loss)
    assert before.loss > after.loss
    assert after.accuracy > 0.9
    stops(trainer, settings, given, plan)


def stops(trainer, settings, model, plan):
    """A trainer that says that it can be stopped keeps what it reached."""
    if "partial" in trainer.abilities:
        fitted = trainer.fit(model, heaps(), settings, plan, lambda done, _: done < 2)
        check_tensors(trainer.schema(settings), fitted.model)
        assert fitted.steps == 2 < fitted.planned
        assert digest(fitted.model) != digest(model)
