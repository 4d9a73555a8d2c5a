"""Added providers as rows and secrets: read together, and one that cannot be read does not stop the others."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from foundation import aws, table
from foundation.settings import settings
from providers import registry
from providers.entry import Entry
from providers.saved import SavedProvider, saved_providers
from tests.cloud import Cloud


def saved(name: str = "alpha") -> SavedProvider:
    entry = Entry(base_url="https://alpha.example/v1", models=["gpt-x"], requests_per_second=2.5)
    return SavedProvider(id=name, created_at=1, updated_at=1, entry=entry, attempt="prov_1")


def secret_of(secret_id: str) -> str:
    return aws.secretsmanager().get_secret_value(SecretId=secret_id)["SecretString"]


def test_a_row_that_this_version_cannot_read_is_left_out_and_logged(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    assert cloud
    for name in ("alpha", "beta"):
        saved(name).create()
    table.update("PROVIDER", "alpha", {"entry": 'json:{"kind":"of tomorrow","api_key":"sk-hidden"}'})
    assert list(saved_providers()) == [saved("beta")]
    assert "cannot be read" in caplog.text
    assert "sk-hidden" not in caplog.text


def test_a_key_is_made_once_for_all_attempts_of_a_request_and_replaced_later(cloud: Cloud) -> None:
    cloud.setenv("STACK_NAME", "mine")
    settings.cache_clear()
    one = saved("gamma")
    first = one.put_key("sk-1", "prov_9")
    assert first == "mine/providers/gamma-prov_9"
    assert one.put_key("sk-2", "prov_9") == first
    assert secret_of(first) == "sk-2"
    one.secret_id = first
    assert one.put_key("sk-3", "prov_10") == first
    assert secret_of(first) == "sk-3"
    one.discard_key()
    with pytest.raises(ClientError, match="ResourceNotFound"):
        secret_of(first)
    one.discard_key()


def test_it_is_asked_with_its_key_and_the_secret_of_the_template_goes_before_it(cloud: Cloud) -> None:
    one = saved("delta")
    one.secret_id = one.put_key("sk-1", "prov_1")
    one.create()
    registry.forget()
    route = registry.providers().resolve("gpt-x")
    assert (route.name, route.model, route.provider._key.text()) == ("delta", "gpt-x", "sk-1")
    [paced] = [provider for provider in registry.paced_providers().all() if provider._pace._name == "delta"]
    assert paced._pace._limits.requests_per_second == 2.5
    content = '{"delta": {"base_url": "https://other.example/v1"}}'
    arn = aws.secretsmanager().create_secret(Name="further", SecretString=content)["ARN"]
    cloud.setenv("PROVIDERS_SECRET_ARN", arn)
    settings.cache_clear()
    registry.forget()
    assert registry.providers().resolve("delta/m").provider._base_url == "https://other.example/v1"
    assert [known.origin for known in registry.configured()] == ["template", "secret"]
    one.discard_key()
    registry.forget()
