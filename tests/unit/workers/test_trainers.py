"""Which trainers are installed, and what is said of those that cannot be used."""

import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from domain.learning.trainers.multilayer_perceptron import MultilayerPerceptron
from domain.refusal import Refusal
from tests.fakes.trainer_conformance import keeps_its_promises
from workers.trainers import BUILT_IN, GROUP, InstalledTrainers, own_trainers

GOOD = """
class Mean:
    name = "{name}"
    abilities = frozenset({abilities})
    def schema(self, settings): ...
    def initial(self, settings, seed): ...
    def fit(self, model, rows, settings, plan, tell): ...
    def evaluate(self, model, rows, settings): ...
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module of a name of its own and gives `module:Mean`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    written = []

    def write(text, name=None):
        name = name or f"trainer_of_a_test_{len(written)}"
        written.append(name)
        path = tmp_path / (name.replace(".", "/") + ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return f"{name}:Mean"

    yield write
    for name in [
        name for name in sys.modules if name.partition(".")[0] in {w.partition(".")[0] for w in written}
    ]:
        del sys.modules[name]


def good(name="mean", abilities="{'partial'}"):
    return GOOD.format(name=name, abilities=abilities)


def installed(*values, own=()):
    return InstalledTrainers(own, [EntryPoint(name, value, GROUP) for name, value in values])


def test_the_package_registers_what_is_built_in():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert project["entry-points"][GROUP] == BUILT_IN


def test_those_built_in_are_there_even_where_no_entry_point_is_and_once_where_it_is():
    assert installed().names() == installed(*BUILT_IN.items()).names() == ("logistic-regression", "mlp")
    assert {name: installed().named(name).name for name in BUILT_IN} == {name: name for name in BUILT_IN}
    assert set(BUILT_IN) <= set(InstalledTrainers().names())


def test_an_entry_point_of_another_package_is_a_trainer(module):
    trainers = installed(("mean", module(good())))
    assert trainers.names() == ("logistic-regression", "mean", "mlp")
    assert trainers.named("mean").abilities == {"partial"}
    assert trainers.named("mean") is trainers.named("mean")


def test_a_trainer_that_is_not_installed_is_refused_with_those_that_are(module):
    trainers = installed(("mean", module("raise RuntimeError('imported without need')")))
    with pytest.raises(Refusal, match=r"'m\\x1bp' is not installed; there are logistic-.*, mean, mlp"):
        trainers.named("m\x1bp")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import no_such_thing", "cannot be imported: ModuleNotFoundError: No module named 'no_such_thing'"),
        ("raise RuntimeError('one\\ntwo')", "cannot be imported: RuntimeError: one$"),
        ("raise RuntimeError", "cannot be imported: RuntimeError$"),
        ("1 +", "cannot be imported: SyntaxError: invalid syntax"),
        ("", "cannot be imported: AttributeError: module '.*' has no attribute 'Mean'"),
        ("Mean = 5", "makes something without schema, initial, fit, evaluate"),
        ("def Mean(): return 1 / 0", "makes no trainer: ZeroDivisionError"),
        (good().replace("name =", "names ="), "makes something without a name"),
        (good(abilities="['flying']"), "no frozenset of gradient, proximal, control, partial"),
        (good("other"), "'mean' .* calls itself 'other'"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_named_in_one_line_and_hides_no_other(module, text, problem):
    trainers = installed(("mean", module(text)))
    with pytest.raises(Refusal, match=problem) as refused:
        trainers.named("mean")
    assert "\n" not in str(refused.value)
    assert trainers.names() == ("logistic-regression", "mlp")
    assert trainers.broken() == {"mean": refused.value.problem}


def test_a_name_that_two_packages_claim_is_refused(module):
    one, two = module(good()), module(good("mlp"))
    with pytest.raises(Refusal, match=f"trainer: 'mlp' is claimed by domain.* and {two}; remove one"):
        installed(("mean", one), ("mlp", two)).named("mlp")


def test_a_setting_names_trainers_beside_those_installed(module):
    value = module(good("own"))
    assert installed(own=own_trainers({"FOLKMOOT_TRAINERS": f" {value}, "})).named("own").name == "own"
    assert own_trainers({}) == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (good("mlp"), "there is a 'mlp' already"),
        ("raise OSError('gone')", "cannot be imported: OSError: gone"),
    ],
)
def test_a_setting_that_names_none_is_refused_at_once(module, text, problem):
    with pytest.raises(Refusal, match=f"FOLKMOOT_TRAINERS: .*{problem}"):
        installed(own=[module(text)])


def test_a_setting_of_another_form_is_refused():
    with pytest.raises(Refusal, match="FOLKMOOT_TRAINERS: 'torch' is not of the form module:factory"):
        installed(own=["torch"])


def test_a_name_in_a_cycle_is_never_read_as_a_module(module):
    value = module(good())
    with pytest.raises(Refusal, match="is not installed"):
        installed().named(value)
    assert value.partition(":")[0] not in sys.modules


def test_the_code_of_a_module_changes_with_its_source_and_not_with_its_neighbours(module):
    value = module(good(), "alone")
    before = installed(("mean", value)).code("mean")
    module("", "beside")
    assert installed(("mean", value)).code("mean") == before
    assert len(before) == 64
    module(good() + "# changed", "alone")
    assert installed(("mean", value)).code("mean") != before


def test_the_code_of_a_package_is_all_of_it(module):
    module("", "whole.__init__")
    value = module(good(), "whole.mean")
    before = installed(("mean", value)).code("mean")
    module("STEP = 2", "whole.other")
    assert installed(("mean", value)).code("mean") != before


def test_both_that_are_built_in_share_their_code():
    assert installed().code("mlp") == installed().code("logistic-regression")


def test_what_was_built_without_a_source_file_has_the_code_of_nothing(module):
    value = module(good(), "alone")
    installed(("mean", value)).named("mean")
    sys.modules["alone"].__file__ = None
    assert installed(("mean", value)).code("mean").startswith("e3b0c44298fc1c14")


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_those_built_in_keep_the_promises_of_a_trainer(name):
    keeps_its_promises(InstalledTrainers(found=[]).named(name))


def test_a_trainer_that_writes_into_the_model_it_was_given_breaks_a_promise():
    class Careless(MultilayerPerceptron):
        def fit(self, model, rows, settings, plan, tell):
            model["layer00.bias"] = model["layer00.bias"] + 1
            return super().fit(model, rows, settings, plan, tell)

    with pytest.raises(AssertionError, match="the model that was given is another now"):
        keeps_its_promises(Careless())
