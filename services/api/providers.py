"""Providers: add one, look at them, change, try and remove it. Those of the template are shown, too.

A provider's name is its id, since it stands before the names of its models. Its key, and what signs its webhooks, go to
Secrets Manager and are in no answer. What is changed here holds everywhere within a minute.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from api import provider_changes, provider_webhooks, retried
from api.provider_document import ProviderDocument, every_provider, provider_named
from api.provider_needs import refuse_while_needed
from api.provider_trial import ProviderTrial, tried
from foundation import http
from foundation.bounds import Text
from foundation.document import Body, Deleted
from foundation.ids import now
from foundation.routes import AFTER, LIMIT, Routes
from providers import webhook_secrets
from providers.entry import LONGEST_MODEL, ModelNames, NewUrl, ProviderName, Region
from providers.kinds import KindName
from providers.own_prices import OwnPrices
from providers.terms import Trains

router = Routes("Providers")
_LONGEST_KEY = 8192
_SECRETS = {"api_key", "webhook_secret"}
_ELSEWHERE = "It is one of the template: change it there."


def _can_sign(secrets: str) -> str:
    """Raises ValueError where a secret is no whole base64, as one that was cut: no webhook would ever be genuine."""
    for secret in secrets.split():
        try:
            b64decode(secret.removeprefix("whsec_") + "==")
        except ValueError:
            raise ValueError("it is no base64: copy all of it") from None
    return secrets


type _ApiKey = Annotated[str, Field(min_length=1, max_length=_LONGEST_KEY, pattern=r"^[!-~]+$")]
type _WebhookSecret = Annotated[
    str,
    Field(max_length=512, pattern=r"^whsec_[A-Za-z0-9+/]{16,}={0,2}( whsec_[A-Za-z0-9+/]{16,}={0,2})?$"),
    AfterValidator(_can_sign),
]
type _Rate = Annotated[float, Field(ge=0, le=100_000)]
type _Concurrency = Annotated[int, Field(ge=0, le=100_000)]


class NewProvider(Body):
    """A provider to be added. Which fields it needs and takes follows from its kind."""

    name: ProviderName
    """What it is called; `name/model` asks it for any model."""
    kind: KindName = "openai"
    base_url: NewUrl | None = None
    """Where its API is, up to the version, such as `https://api.example.com/v1`; for Bedrock an endpoint of a VPC."""
    region: Region | None = None
    """The AWS region, for the kinds of AWS; without one, the stack's own."""
    api_key: _ApiKey | None = None
    """Its key. It is kept in Secrets Manager and never shown."""
    webhook_secret: _WebhookSecret | None = None
    """What signs the webhooks that it sends to `webhook_url`: `whsec_…`. It is kept as the key is."""
    models: ModelNames = Field(default_factory=list)
    """The models that are asked for by their plain names; for the kinds of AWS, ids and ARNs."""
    responses: bool | None = Field(default=None, strict=True)
    """Whether it has the Responses API; absent, its first answer tells."""
    requests_per_second: _Rate = 0.0
    """How many calls a second evals make, all workers together; 0 for no limit but its own."""
    concurrency: _Concurrency = 200
    """How many calls of evals may be open at once; 0 for no limit."""
    prices: OwnPrices | None = None
    """What its models cost, in dollars per million tokens."""
    trains_others: Trains = "unknown"
    """Whether its terms let its answers train another model; where it is `no`, a distillation waits for an approval."""
    trains_others_note: Text | None = None
    """Why, or where that stands."""


class ProviderChanges(Body):
    """What to change of a provider; what is absent stays, and null takes a value away."""

    base_url: NewUrl | None = None
    region: Region | None = None
    api_key: _ApiKey | None = None
    """A new key in place of the old one."""
    webhook_secret: _WebhookSecret | None = None
    """What signs its webhooks: `whsec_…`, or the new and the old one, a space between, while either may sign. Null
    takes it away: no webhook of it is taken any more."""
    models: ModelNames | None = None
    responses: bool | None = Field(default=None, strict=True)
    requests_per_second: _Rate | None = None
    concurrency: _Concurrency | None = None
    prices: OwnPrices | None = None
    trains_others: Trains | None = None
    trains_others_note: Text | None = None


class Trial(Body):
    """What to try a provider with."""

    model: Annotated[str, Field(min_length=1, max_length=LONGEST_MODEL)] | None = None
    """The model to ask, by its name there; the first of those that are listed where none is named."""


@router.post(
    "/v1/providers",
    scope="admin",
    status=201,
    errors={409: "There is a provider of this name already, or there are as many as there may be."},
)
def create_provider(asked: NewProvider) -> ProviderDocument:
    """Add a provider: a server with OpenAI's API, or models of Amazon Bedrock or SageMaker."""
    attempt, at = retried.object_id(router, "prov_"), now()
    fields = asked.model_dump(exclude={"name", *_SECRETS})
    if asked.webhook_secret:
        provider_webhooks.refuse_misfit(asked.kind)
    provider_changes.add(asked.name, fields, asked.api_key, attempt=attempt, at=at)
    if asked.webhook_secret:
        provider_webhooks.change(asked.name, asked.webhook_secret, attempt=attempt)
    return provider_named(asked.name)


@router.get("/v1/providers", scope="read", lists=ProviderDocument, query=(AFTER, LIMIT))
def list_providers() -> dict[str, Any]:
    """List providers: the template's default one, those of its secret, and those that were added."""
    return http.page_of(router, every_provider())


@router.get("/v1/providers/<name>", scope="read")
def retrieve_provider(name: str) -> ProviderDocument:
    """Retrieve a provider, without its key."""
    return provider_named(name)


@router.post("/v1/providers/<name>", scope="admin", errors={409: _ELSEWHERE})
def update_provider(name: str, asked: ProviderChanges) -> ProviderDocument:
    """Change a provider, or give it a new key. Warm functions see it within a minute.

    Of one of the template only its `webhook_secret` is changed here.
    """
    fields = asked.model_dump(exclude_unset=True, exclude=_SECRETS)
    attempt = retried.object_id(router, "prov_")
    signs = "webhook_secret" in asked.model_fields_set
    if fields or asked.api_key or not signs:
        provider_changes.change(name, fields, asked.api_key, attempt=attempt, at=now())
    if signs:
        provider_webhooks.change(name, asked.webhook_secret, attempt=attempt)
    return provider_named(name)


@router.delete(
    "/v1/providers/<name>",
    scope="admin",
    errors={409: "Open runs, distillations or jobs, or trained models, need it; or it is one of the template."},
)
def delete_provider(name: str) -> Deleted:
    """Remove a provider with its key. Stored completions stay as they are, whoever answered them."""
    saved = provider_changes.saved_one(name)
    refuse_while_needed(name)
    saved.discard_key()
    webhook_secrets.discard(name)
    saved.remove()
    return Deleted(id=name, object="provider.deleted")


@router.post("/v1/providers/<name>/test", scope="admin")
def test_provider(name: str, asked: Trial) -> ProviderTrial:
    """Ask a provider one short question, and say what came back. The call is paid for like any other."""
    return tried(name, asked.model)
