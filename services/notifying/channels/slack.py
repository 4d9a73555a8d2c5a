"""Slack's incoming webhooks, and what takes their messages: Mattermost, Rocket.Chat, Discord's `/slack`.

Slack's limits (api.slack.com/reference/block-kit/blocks): a section's text has at most 3,000 letters, a message 50
blocks. `&`, `<` and `>` are escaped as its formatting guide says, so that nobody's text becomes a link or a mention.
`text` says it all once more, for what shows no blocks.
"""

from __future__ import annotations

from typing import Any

import orjson

from notifications.channels import Channel
from notifications.notices import Notice
from notifying.posting import post

_MOST_OF_A_SECTION = 3_000
_MOST_OF_A_TEXT = 4_000


class Slack:
    """Posts the sentence, the lines below it, the page and the command."""

    def send(self, notice: Notice, channel: Channel) -> None:
        post(channel.url, orjson.dumps(message_of(notice)), {"content-type": "application/json"})


def message_of(notice: Notice) -> dict[str, Any]:
    """The JSON that an incoming webhook takes."""
    sections = [_escaped(notice.sentence), _escaped("\n".join(notice.lines)), _beneath(notice)]
    return {
        "text": _escaped("\n".join(part for part in (notice.sentence, notice.url) if part), _MOST_OF_A_TEXT),
        "unfurl_links": False,
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in sections if text.strip()],
    }


def _beneath(notice: Notice) -> str:
    """The link and the command, the latter without the marks that would end its formatting."""
    link = f"<{_escaped(notice.url)}|Open in the dashboard>" if notice.url else ""
    command = f"`{_escaped(notice.command).replace('`', '')}`" if notice.command else ""
    return "\n".join(part for part in (link, command) if part)


def _escaped(text: str, longest: int = _MOST_OF_A_SECTION) -> str:
    """Escaped letter by letter and cut where it would be too long, never within an escape."""
    parts: list[str] = []
    left = longest - 1
    for letter in text:
        shown = _ESCAPES.get(letter, letter if letter.isprintable() or letter == "\n" else " ")
        if len(shown) > left:
            return "".join(parts) + "…"
        parts.append(shown)
        left -= len(shown)
    return "".join(parts)


_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
