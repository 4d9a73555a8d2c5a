"""Signatures of webhooks: held against what OpenAI's own SDK takes, and never more than an answer yes or no."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from openai import InvalidWebhookSignatureError, OpenAI
from standardwebhooks import Webhook

from foundation.ids import now
from providers.signed import is_genuine

OLD, NEW = (f"whsec_{base64.b64encode(letter * 24).decode()}" for letter in (b"o", b"n"))
BODY = b'{"type": "fine_tuning.job.succeeded", "data": {"id": "ftjob-1"}}'


def headers(secret: str = NEW, *, at: int | None = None, body: bytes = BODY) -> dict[str, str]:
    at = now() if at is None else at
    signature = Webhook(secret).sign("evt_1", datetime.fromtimestamp(at, UTC), body.decode())
    return {"webhook-id": "evt_1", "webhook-timestamp": str(at), "webhook-signature": signature}


@pytest.mark.parametrize(
    ("secret", "at", "body", "genuine"),
    [
        (NEW, 0, BODY, True),
        (OLD, 0, BODY, False),
        (NEW, 0, BODY + b" ", False),
        (NEW, -299, BODY, True),
        (NEW, 299, BODY, True),
        (NEW, -310, BODY, False),
        (NEW, 310, BODY, False),
    ],
)
def test_it_takes_what_the_sdk_of_openai_takes(secret: str, at: int, body: bytes, genuine: bool) -> None:
    sent = headers(secret, at=now() + at)
    sdk = OpenAI(api_key="none", webhook_secret=NEW)
    if genuine:
        sdk.webhooks.verify_signature(body, sent)
    else:
        with pytest.raises(InvalidWebhookSignatureError):
            sdk.webhooks.verify_signature(body, sent)
    assert is_genuine([NEW], sent, body) is genuine


def test_while_one_secret_follows_another_either_may_sign() -> None:
    for secret in (OLD, NEW):
        assert is_genuine([NEW, OLD], headers(secret), BODY)
    both = {**headers(OLD), "webhook-signature": " ".join(headers(one)["webhook-signature"] for one in (OLD, NEW))}
    assert is_genuine([NEW], both, BODY)
    assert not is_genuine([], headers(), BODY)


@pytest.mark.parametrize(
    "odd",
    [
        {"webhook-id": ""},
        {"webhook-timestamp": "yesterday"},
        {"webhook-timestamp": "1e400"},
        {"webhook-timestamp": "nan"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,,"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1,a"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": " " * 5000},
    ],
)
def test_what_is_no_signature_is_a_wrong_one(odd: dict[str, str]) -> None:
    assert not is_genuine([NEW], {**headers(), **odd}, BODY)


def test_what_cannot_be_checked_is_not_genuine() -> None:
    assert not is_genuine([NEW], {}, BODY)
    assert not is_genuine([NEW], headers(), b"\xff")
    assert not is_genuine(["whsec_", "whsec_a", "whsec_é"], headers(), BODY)
