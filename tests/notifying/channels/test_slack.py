"""A notice as Slack's incoming webhooks take it, whatever it holds."""

from __future__ import annotations

import pytest

from notifying.channels.slack import message_of
from tests.notifying.stubs import notice


def test_the_message_has_the_sentence_the_lines_the_page_and_the_command() -> None:
    told = notice(url="https://api.test/distillations/d?a=1&b=2", command="stillhouse verdict d")
    assert message_of(told) == {
        "text": "It does.\nhttps://api.test/distillations/d?a=1&amp;b=2",
        "unfurl_links": False,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": text}}
            for text in (
                "It does.",
                "Rows.",
                "<https://api.test/distillations/d?a=1&amp;b=2|Open in the dashboard>\n`stillhouse verdict d`",
            )
        ],
    }


def test_nobodys_text_becomes_a_link_or_a_mention() -> None:
    message = message_of(notice(sentence="<!channel> <https://bad.test|good> & <@U1>", lines=[]))
    assert message["text"] == "&lt;!channel&gt; &lt;https://bad.test|good&gt; &amp; &lt;@U1&gt;"
    assert [block["text"]["text"] for block in message["blocks"]] == [message["text"]]


@pytest.mark.parametrize("letter", ["x", "&", "<", "ü", "\x00", "\U0001f600"])
def test_it_stays_within_slacks_limits_and_no_escape_is_cut(letter: str) -> None:
    message = message_of(
        notice(sentence=letter * 500, lines=[letter * 500] * 40, url="https://api.test/", command="c`")
    )
    assert len(message["text"]) <= 4_000
    assert len(message["blocks"]) <= 50
    for block in message["blocks"]:
        text = block["text"]["text"]
        assert 0 < len(text) <= 3_000
        assert text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").count("&") == 0
    assert "`c`" in message["blocks"][-1]["text"]["text"]


def test_no_section_is_blank() -> None:
    message = message_of(notice(lines=["", " \x00"]))
    assert [block["text"]["text"] for block in message["blocks"]] == ["It does."]
