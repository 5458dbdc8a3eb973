"""Facts that are linked by a word, and the chains that they make."""

import pytest

from fledgling.facts.walking import Links, longer, stepped, walked

TEXTS = {
    "teacher": "My teacher is called Aurelio.",
    "home": "Aurelio lives in Groningen.",
    "town": "Groningen has a tall tower.",
    "goat": "Our goat eats thistles.",
}


def links(texts=TEXTS):
    made = Links()
    for fact_id, text in texts.items():
        made.add(fact_id, text)
    return made


def chains(begin, question, made=None, common=12):
    return list(longer(begin, question, made or links(), common=common))


def test_a_shared_word_links_two_facts_and_function_words_do_not():
    made = links({"a": "The cat is in the garden.", "b": "The dog is in the kitchen."})
    assert made.of("a", common=12) == set()
    assert links().of("home", common=12) == {"teacher", "town"}


def test_a_plural_and_a_possessive_are_the_same_word():
    made = links({"a": "Aurelio keeps goats.", "b": "The goat's name is Ida."})
    assert made.of("a", common=12) == {"b"}


def test_a_word_that_many_facts_hold_links_none():
    made = links({str(number): f"Aurelio met guest {number}." for number in range(4)})
    assert made.of("0", common=4) == {"1", "2", "3"}
    assert made.of("0", common=3) == set()


def test_a_word_that_the_question_names_is_no_link():
    question = "Where does Aurelio live?"
    assert chains([("teacher",)], question) == []
    assert chains([("home",)], question) == [("home", "town")]


def test_a_removed_fact_links_nothing():
    made = links()
    made.remove("home")
    assert made.of("teacher", common=12) == set()
    made.remove("never there")


def test_a_chain_grows_at_both_ends_and_holds_no_fact_twice():
    question = "How tall is the tower where my teacher lives?"
    assert chains([("home",)], question) == [("home", "teacher"), ("home", "town")]
    assert chains([("teacher",), ("home",)], question) == [("teacher", "home"), ("home", "town")]
    assert chains([("teacher", "home")], question) == [("teacher", "home", "town")]
    assert chains([("home", "town")], question) == [("teacher", "home", "town")]


@pytest.mark.parametrize(
    ("question", "told", "then", "asked"),
    [
        (
            "Which tune can my parrot whistle?",
            "my parrot's name is Capitano Flisk",
            "Flisk has learned to whistle the anthem lol",
            "Which tune can Flisk whistle?",
        ),
        (
            "What do my mother's neighbours keep?",
            "My mother's neighbours are the Brandts.",
            "The Brandts keep three hens.",
            "What do Brandts keep?",
        ),
        (
            "On which day is Lena's dog walked?",
            "Lena's dog is called Pip.",
            "Pip is walked on Sunday by us.",
            "On which day is Pip walked?",
        ),
        (
            "What colour is our plumber's van?",
            "the plumber we always call is Gund & Sons",
            "Gund & Sons drive a green van",
            "What colour is Gund & Sons's van?",
        ),
        (
            "Who pays me?",
            "I started at a company called Tarven.",
            "Tarven pays through Ida Moe.",
            "About Tarven: Who pays me?",
        ),
        (
            "What's my parrot's age?",
            "My parrot is called Flisk.",
            "Flisk is nine years of age.",
            "What's Flisk's age?",
        ),
        (
            "Where does Lena Berg's brother live?",
            "Lena Berg's brother is Tom Berg.",
            "Tom Berg lives in Bonn.",
            "Where does Tom Berg live?",
        ),
        (
            "What is the job of Lena Berg?",
            "The job of Tom Berg is baking.",
            "Lena Berg's brother is Tom Berg.",
            "About Tom Berg: What is the job of Lena Berg?",
        ),
        ("Who is she?", "My cat is old.", "Pip sleeps.", "Who is she?"),
        ("Is my cat old?", "My cat is Pip, ten.", "My cat is Pip, ten.", "Is my cat old?"),
    ],
)
def test_the_name_that_links_two_facts_is_put_into_the_question(question, told, then, asked):
    assert stepped(question, told, then)[0] == asked


def test_a_chain_is_walked_from_what_the_question_describes():
    question = "How tall is the tower where my teacher lives?"
    for chain in (("teacher", "home"), ("home", "teacher")):
        walk = walked("In which town does my teacher live?", chain, TEXTS.__getitem__)
        assert walk.chain == ("teacher", "home")
        assert walk.asked == "In which town does Aurelio live?" and walk.named
    walk = walked(question, ("town", "home", "teacher"), TEXTS.__getitem__)
    assert walk.chain == ("teacher", "home", "town")
    nameless = walked("Where do I learn?", ("home", "teacher"), TEXTS.__getitem__)
    assert nameless.chain == ("teacher", "home") and not nameless.named


def test_a_chain_without_a_name_between_its_facts_is_asked_nothing_new():
    texts = {"a": "My cat is Pip, ten.", "b": "My cat is Pip, ten."}
    walk = walked("Is my cat old?", ("a", "b"), texts.__getitem__)
    assert (walk.asked, walk.named) == ("", False)
