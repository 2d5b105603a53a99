"""What texts may be merged at all, and which may well speak of the same thing."""

import pytest

from domain.context.rules.wording import complete, opposed, separable, words

BASE = "Bread is baked here. Cheese comes by ship. Wine is kept below."
BREAD = BASE.replace("Bread is", "Dark bread is")
WINE = BASE.replace("Wine is", "Sweet wine is")


def test_edits_of_sentences_apart_are_separable():
    assert separable(BASE, [BREAD, WINE])
    assert separable(BASE.replace(". ", ".\n"), [BREAD.replace(". ", ".\n"), WINE.replace(". ", ".\n")])
    assert separable(BASE, [f"Hello there! {BASE}", f"{BASE} Goodbye."])
    assert separable(BASE, [BASE.replace("Bread is baked here. ", ""), WINE])


@pytest.mark.parametrize(
    "edit",
    [
        BASE,  # nothing edited
        BASE.replace("Bread is", "White bread is"),  # the same sentence
        BASE.replace("Cheese", "Old cheese"),  # the sentence beside it
        BASE.replace("Wine is", "Wine is not"),
        BASE.replace("Wine is", "Wine isn't"),
        BASE.replace("Wine is", "Wine isn\u2019t"),
        BASE.replace("Wine is", "All wine is"),
        BASE.replace("Wine is", "Wine must be"),
        BASE.replace("below", "above"),
        f"{BASE} There are 3 cellars.",
        f"{BASE} There are three cellars.",
        BASE.replace("Wine is", "Wine and bread are"),  # a word of the other's sentence
        BASE.replace("Wine is", "Wine for bakers is"),  # a word like it
        BASE.replace(" Wine is kept below.", ""),  # drops a bound
    ],
)
def test_an_edit_that_touches_the_other_or_what_turns_a_meaning_is_not_separable(edit):
    assert not separable(BASE, [BREAD, edit])
    assert not separable(BASE, [edit, BREAD])


def test_with_an_empty_ancestor_everything_touches():
    assert not separable("", ["Bread.", "Wine."])


def test_a_number_is_a_word_with_its_sign_and_all_its_digits():
    assert words("It\u2019s -100, or 2.5 at 08:30; a4 don't 3.") == [
        *("it's", "-100", "or", "2.5", "at", "08:30", "a4", "don't", "3"),
    ]
    base = "Bread is baked here. Cheese comes by ship. Debts are 100."
    assert not separable(base, [base.replace("Bread", "Dark bread"), base.replace("100", "-100")])


def test_a_merge_is_complete_if_it_is_the_ancestor_with_all_changes():
    both = BREAD.replace("Wine is", "Sweet wine is")
    assert complete(BASE, [BREAD, WINE], both)
    for wrong in (BASE, BREAD, WINE, f"{both} {both}", both.replace("ship", "mule"), ""):
        assert not complete(BASE, [BREAD, WINE], wrong)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The valve is open.", "The valve is closed."),
        ("Lunch was served. The valve is open.", "The valve is closed. It rained."),
        ("Both engines work.", "Only one engine works."),
        ("Ann pays Bob", "Bob pays Ann"),
    ],
)
def test_different_sentences_with_much_the_same_words_are_opposed(one, other):
    assert opposed(one, other)
    assert opposed(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The valve is open.", "The valve is open."),
        ("The valve is open.", "THE VALVE IS OPEN"),
        ("The valve is open.", "Lunch was served at the inn."),
        ("open", "closed"),
        ("It is", "They are"),
        ("", "The valve is open."),
    ],
)
def test_equal_sentences_and_sentences_on_different_topics_are_not(one, other):
    assert not opposed(one, other)


def test_texts_of_very_many_sentences_are_taken_for_opposed():
    long = " ".join(f"Chapter {number} of the tale." for number in range(51))
    assert opposed(long, " ".join(f"Word{number}." for number in range(50)))
    assert not opposed(long, long)
