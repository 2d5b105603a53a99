"""scikit-learn's SGDClassifier as a trainer of 3 or more classes; `pip install 'folkmoot[sklearn]'`."""

import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss

from domain.learning.tensors import TensorSpec
from domain.learning.trainer import Evaluation, Fitted


class SklearnTrainer:
    """Settings `features` and `classes`; it may be stopped after any epoch."""

    name = "sklearn-sgd"
    abilities = frozenset({"partial"})

    def schema(self, settings):
        shapes = {"coef": (settings["classes"], settings["features"]), "intercept": (settings["classes"],)}
        return tuple(TensorSpec(n, "reasoning_improvements", s, "float64") for n, s in shapes.items())

    def initial(self, settings, seed):
        return {spec.name: np.zeros(spec.shape) for spec in self.schema(settings)}

    def fit(self, model, rows, settings, plan, tell):
        before = self.evaluate(model, rows, settings)
        learner = self._learner(model, plan.learning_rate, np.random.RandomState(plan.seed % 2**32))
        for epoch in range(1, plan.epochs + 1):
            learner.partial_fit(rows["x"], rows["y"])
            if not tell(epoch, plan.epochs):
                break
        reached = {"coef": learner.coef_, "intercept": learner.intercept_}
        return Fitted(reached, before.samples, epoch, plan.epochs, before.loss)

    def evaluate(self, model, rows, settings):
        learner = self._learner(model)
        likely = learner.predict_proba(rows["x"])
        loss = log_loss(rows["y"], likely, labels=learner.classes_)
        return Evaluation(float(loss), learner.score(rows["x"], rows["y"]), len(rows["y"]))

    def _learner(self, model, step=0.1, draw=None):
        learner = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=step, random_state=draw)
        learner.classes_ = np.arange(len(model["intercept"]))
        learner.coef_, learner.intercept_ = model["coef"].copy(), model["intercept"].copy()
        return learner
