import pytest

from foundation.settings import settings

NEEDED = {"TABLE": "t", "BUCKET": "b", "PROVIDER_BASE_URL": "http://127.0.0.1:9/v1"}


@pytest.fixture
def settings_of(monkeypatch):
    """Settings in an environment of nothing else."""
    for name in (*NEEDED, "WEBHOOKS_TO_PRIVATE", "API_URL"):
        monkeypatch.delenv(name, raising=False)

    def settings_of(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        return settings()

    yield settings_of
    settings.cache_clear()


def test_what_is_missing_is_named_at_once(settings_of):
    with pytest.raises(ValueError, match="lacks TABLE, PROVIDER_BASE_URL"):
        settings_of(BUCKET="b")


def test_what_is_not_said_has_its_default(settings_of):
    assert (settings_of(**NEEDED).API_URL, settings_of().WEBHOOKS_TO_PRIVATE, settings_of().TABLE) == ("", False, "t")
    assert settings_of(WEBHOOKS_TO_PRIVATE="true", API_URL="u").WEBHOOKS_TO_PRIVATE is True
    assert (settings_of(WEBHOOKS_TO_PRIVATE="false").WEBHOOKS_TO_PRIVATE, settings_of().API_URL) == (False, "u")


def test_a_truth_is_true_or_false(settings_of):
    with pytest.raises(ValueError, match="WEBHOOKS_TO_PRIVATE is neither true nor false"):
        settings_of(**NEEDED, WEBHOOKS_TO_PRIVATE="perhaps")
