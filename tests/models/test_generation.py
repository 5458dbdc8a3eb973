"""Replies: order, batches, padding, cutting."""

import pytest

from fledgling.models.generation import chat_text, cut_middle, replies, reply

PROMPTS = ["Who is Tom?", "Hi", "A much longer question than the other two, is it not?", ""]


def test_a_batch_answers_like_one_at_a_time_and_in_order(tiny):
    single = [reply(tiny, prompt, max_new_tokens=10) for prompt in PROMPTS]
    assert len(set(single)) > 1
    assert replies(tiny, PROMPTS, max_new_tokens=10) == single
    assert replies(tiny, PROMPTS, max_new_tokens=10, batch_size=2) == single
    assert replies(tiny, [], max_new_tokens=10) == []


def test_the_system_prompt_stands_first_and_changes_the_answer(tiny):
    assert chat_text(tiny, "Hi", "Be a pirate.").startswith(
        "<|im_start|>system\nBe a pirate.<|im_end|>"
    )
    assert chat_text(tiny, "Hi").startswith("<|im_start|>system\nBe brief.")
    assert chat_text(tiny, "Hi").endswith("<|im_start|>assistant\n")
    answers = {
        system: replies(tiny, PROMPTS, max_new_tokens=10, system=system)
        for system in ("a", "Shout: WALNUTS")
    }
    assert answers["a"] != answers["Shout: WALNUTS"]


def test_no_more_tokens_than_asked(tiny):
    text = reply(tiny, "Hi", max_new_tokens=3)
    assert (
        len(tiny.tokenizer(text)["input_ids"]) <= 9
    )  # a token is a byte; three odd bytes may print as nine


def test_ten_thousand_words_are_cut(tiny):
    assert isinstance(replies(tiny, ["word " * 10_000], max_new_tokens=2, max_length=64)[0], str)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9, 10])
def test_cut_middle_keeps_both_ends(size):
    tokens = list(range(9))
    cut = cut_middle(tokens, size)
    assert len(cut) == min(size, 9)
    assert cut[-1] == 8 and cut == sorted(cut)
    assert size < 2 or cut[0] == 0
