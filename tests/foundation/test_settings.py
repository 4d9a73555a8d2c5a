import pytest

from foundation.settings import settings

NEEDED = {"TABLE": "t", "BUCKET": "b", "PROVIDER_BASE_URL": "http://127.0.0.1:9/v1"}


@pytest.fixture
def told(monkeypatch):
    """Settings in an environment of nothing else."""
    for name in (*NEEDED, "WEBHOOKS_TO_PRIVATE", "API_URL"):
        monkeypatch.delenv(name, raising=False)

    def told(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        return settings()

    yield told
    settings.cache_clear()


def test_what_is_missing_is_named_at_once(told):
    with pytest.raises(ValueError, match="lacks TABLE, PROVIDER_BASE_URL"):
        told(BUCKET="b")


def test_what_is_not_said_has_its_default(told):
    assert (told(**NEEDED).API_URL, told().WEBHOOKS_TO_PRIVATE, told().TABLE) == ("", False, "t")
    assert told(WEBHOOKS_TO_PRIVATE="true", API_URL="u").WEBHOOKS_TO_PRIVATE is True
    assert (told(WEBHOOKS_TO_PRIVATE="false").WEBHOOKS_TO_PRIVATE, told().API_URL) == (False, "u")


def test_a_truth_is_true_or_false(told):
    with pytest.raises(ValueError, match="WEBHOOKS_TO_PRIVATE is neither true nor false"):
        told(**NEEDED, WEBHOOKS_TO_PRIVATE="perhaps")
