"""The providers that a call can go to: those of the template and of its secret, and those that people have added.

In: settings, Secrets Manager and the table. Out: `Providers`, which passes each call to the provider of its model's
name. A warm function sees within a minute what has changed there; a provider that has not changed stays as it is, with
its connections. What cannot be read keeps the last good providers and is logged. A secret that cannot be read as
providers raises ProvidersMisconfigured, without its content, where there are none yet.

`paced_providers()` is for background work: it keeps each provider's limits, which all workers share. `providers()` has
no limits.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Literal, NamedTuple

from pydantic import ConfigDict, TypeAdapter, ValidationError

from foundation import aws, loop
from foundation.errors import StillhouseError
from foundation.refreshed import Refreshed
from foundation.settings import settings
from providers import last_asked
from providers.entry import Entry, ProviderName, Url
from providers.key import Key, KnownKey, SecretKey
from providers.kinds import KINDS
from providers.pace import Pace
from providers.provider import ProviderRefused
from providers.routing import DEFAULT, Named, Providers
from providers.saved import saved_providers
from providers.single_provider import SingleProvider, make_provider
from providers.terms import TeacherTerms, Trains
from providers.versions import Versions

type Origin = Literal["template", "secret", "api"]
"""Who says what a provider is: the template's parameters, the secret of ProvidersSecretArn, or who called the API."""

# The pace of the default provider had this name in the table before there were further ones.
_DEFAULT_PACE = "(default)"
# Any other value of PROVIDER_RESPONSES leaves it to the provider's first answer.
_WITH_RESPONSES = {"true": True, "false": False}
_TRAINS: dict[str, Trains] = {"yes": "yes", "no": "no"}


class ProvidersMisconfigured(StillhouseError):
    """The secret of the template's ProvidersSecretArn does not hold providers."""


class _SecretEntry(Entry):
    """One provider in the secret, which has its key beside it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: Literal["openai"] = "openai"
    base_url: Url
    api_key: str = ""


_ENTRIES = TypeAdapter(dict[ProviderName, _SecretEntry])


class Known(NamedTuple):
    """A provider that is configured. Of its key there is the text, or the id of the secret that holds it alone."""

    name: str
    origin: Origin
    entry: Entry
    key: str = ""
    secret_id: str = ""
    created_at: int | None = None
    updated_at: int | None = None

    @property
    def place(self) -> str:
        """A hash of its kind and address: another one there has other models, whatever they are called."""
        address = f"{self.entry.kind}\n{self.entry.base_url}\n{self.entry.region}"
        return hashlib.sha256(address.encode()).hexdigest()[:8]

    def made(self, *, paced: bool) -> SingleProvider:
        """The provider itself, which keeps its limits if it is paced."""
        name = _DEFAULT_PACE if self.name == DEFAULT else self.name
        key: Key = SecretKey(self.secret_id) if self.secret_id else KnownKey(self.key)
        return make_provider(self.entry, key=key, pace=Pace(name, self.entry) if paced else None)


class _Made:
    """The providers as they were made last. Those that have not changed since are not made again."""

    def __init__(self, *, paced: bool) -> None:
        self._paced = paced
        self._known: list[Known] = []
        self._made: dict[str, tuple[Known, SingleProvider]] = {}
        self._providers: Providers | None = None
        self._replaced: list[SingleProvider] = []

    def current(self) -> Providers:
        known = configured()
        if self._providers is None or known is not self._known:
            self._providers = self._with(known)
            self._known = known
        self._close_replaced()
        return self._providers

    def _with(self, known: list[Known]) -> Providers:
        before, self._made = self._made, {}
        for one in known:
            held = before.get(one.name)
            self._made[one.name] = held if held and held[0] == one else (one, one.made(paced=self._paced))
        kept = [provider for _, provider in self._made.values()]
        self._replaced += [provider for _, provider in before.values() if provider not in kept]
        named = {
            name: Named(provider, frozenset(one.entry.models), one.place)
            for name, (one, provider) in self._made.items()
        }
        return Providers(
            named.pop(DEFAULT), named, version_of=_VERSIONS.find, implied=self._implied, note=last_asked.note
        )

    def _implied(self, name: str) -> Named | None:
        """The provider of a kind of AWS in the stack's own region, which is there without having been added."""
        if name not in KINDS or not KINDS[name].implied:
            return None
        if name not in self._made:
            known = Known(name, "template", Entry(kind=name))
            self._made[name] = known, known.made(paced=self._paced)
        known, provider = self._made[name]
        return Named(provider, place=known.place)

    def _close_replaced(self) -> None:
        """Close the connections of replaced providers, unless calls are under way: the loop runs then."""
        if self._replaced and not loop.is_running():
            for provider in self._replaced:
                loop.run(provider.close())
            self._replaced = []

    def forget(self) -> None:
        self._replaced += [provider for _, provider in self._made.values()]
        self._providers, self._made = None, {}
        self._close_replaced()


def providers() -> Providers:
    """Return the providers without limits, as they were configured within the last minute."""
    return _UNPACED.current()


def paced_providers() -> Providers:
    """Return the same providers, held to their limits."""
    return _PACED.current()


def configured() -> list[Known]:
    """Return what is configured, the default provider first, as it was within the last minute."""
    return _CONFIGURED.get()


def terms_of(teacher: str) -> TeacherTerms | None:
    """Return what is noted of the terms of a teacher's provider; None where none, or none alone, serves its name."""
    try:
        name = providers().resolve(teacher).name
    except ProviderRefused:
        return None
    # A provider that needs no configuration has none in which its terms could be noted.
    entry = next((known.entry for known in configured() if known.name == name), Entry())
    return TeacherTerms(provider=name, trains_others=entry.trains_others, note=entry.trains_others_note)


def forget() -> None:
    """Close all connections, and read everything anew at the next call."""
    _CONFIGURED.forget()
    _UNPACED.forget()
    _PACED.forget()
    _VERSIONS.forget()
    _secret_key.cache_clear()


def key_at(name: str) -> str:
    """Return the key of the provider of this name, empty where it has none or is not configured.

    Raises KeyUnusable if its secret holds JSON.
    """
    known = next((known for known in configured() if known.name == name), None)
    if known is None:
        return ""
    return _secret_key(known.secret_id).text() if known.secret_id else known.key


@cache
def _secret_key(secret_id: str) -> SecretKey:
    return SecretKey(secret_id)


def read_now() -> list[Known]:
    """Read what is configured at this moment, for who shows or changes it."""
    secret_arn = settings().PROVIDERS_SECRET_ARN
    further = _entries(aws.secretsmanager().get_secret_value(SecretId=secret_arn)["SecretString"]) if secret_arn else {}
    in_secret = [Known(name, "secret", entry, key=entry.api_key) for name, entry in further.items()]
    added = [
        Known(saved.id, "api", saved.entry, "", saved.secret_id, saved.created_at, saved.updated_at)
        for saved in saved_providers()
    ]
    # A name that the secret has got since then is that of the secret.
    return [_default(), *in_secret, *(one for one in added if one.name not in further)]


def _default() -> Known:
    chosen = settings()
    entry = Entry(
        base_url=chosen.PROVIDER_BASE_URL,
        responses=_WITH_RESPONSES.get(chosen.PROVIDER_RESPONSES),
        requests_per_second=chosen.PROVIDER_REQUESTS_PER_SECOND,
        concurrency=int(chosen.PROVIDER_CONCURRENCY),
        trains_others=_TRAINS.get(chosen.PROVIDER_TRAINS_OTHERS, "unknown"),
    )
    return Known(DEFAULT, "template", entry, secret_id=chosen.PROVIDER_SECRET_ARN)


def _entries(secret: str) -> dict[str, _SecretEntry]:
    try:
        entries = _ENTRIES.validate_json(secret)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"] if step != "[key]") or "the whole"
        why = first["msg"]
    else:
        if DEFAULT not in entries:
            return entries
        where, why = DEFAULT, "this name is that of the provider of ProviderBaseUrl"
    # Without its cause, which would show what the secret holds.
    raise ProvidersMisconfigured(
        f"The secret of ProvidersSecretArn is wrong at {where}: {why}. It holds JSON: "
        '{"<name>": {"base_url": "https://…", "api_key": "…", "models": ["…"], "requests_per_second": 10, '
        '"concurrency": 50, "responses": true}}.'
    ) from None


_VERSIONS = Versions()
_CONFIGURED = Refreshed(read_now)
_UNPACED = _Made(paced=False)
_PACED = _Made(paced=True)
