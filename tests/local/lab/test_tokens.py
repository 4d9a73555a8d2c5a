from hypothesis import given
from hypothesis import strategies as st

from local.lab.tokens import count, count_messages, pieces


def test_words_are_cut_at_six_letters_and_numbers_at_three_digits():
    assert pieces("Unbelievable! 12345") == ["Unbeli", "evable", "!", " 123", "45"]
    assert count("Unbelievable! 12345") == 5


def test_a_label_costs_its_words_and_underscores():
    assert count("card_arrival") == 4


def test_nothing_costs_nothing():
    assert count("") == count(" \n ") == 0


def test_a_message_costs_its_text_and_its_role():
    messages = [{"role": "user", "content": "two words"}, {"role": "assistant", "content": None}]
    assert count_messages(messages) == 4


@given(st.text())
def test_pieces_join_to_the_text(text):
    assert "".join(pieces(text)) == text
