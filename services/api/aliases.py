"""Aliases: names that applications call. Each change is a version; one call goes back to the one before.

The gateway sees a change within a second. A PUT may be sent twice: the same targets again make no version. With
`If-Match` or `version` a change holds only where nobody else has changed the alias meanwhile; 412 says that somebody
has.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Annotated, Any

from pydantic import Field

from aliases import changing, checks, history
from aliases.alias import Alias, Routing, every_alias
from aliases.changing import Said
from aliases.document import AliasDocument, AliasVersion, alias_document, version_document
from api import retried
from distillations import lineage
from distillations.lineage import Node
from distillations.verdict import Verdict
from foundation import http
from foundation.bounds import Name, Text
from foundation.document import Body, Deleted
from foundation.errors import ApiError
from foundation.routes import AFTER, LIMIT, Routes
from rollouts.in_use import refuse_alias_in_rollout

router = Routes("Aliases")
_CHANGED = {412: "The alias is not in the version of `If-Match` or `version`: somebody has changed it."}
_LARGEST = 10**9
_NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_TAG = re.compile(r'(?:W/)?"?(\d{1,9})"?', re.ASCII)
_VERSION = re.compile(r"(.+)@(\d{1,9})", re.ASCII)
type _Version = Annotated[int, Field(ge=0, le=_LARGEST, strict=True)]


class NewAlias(Routing):
    """What an alias is to say from now on, all of it."""

    why: Text | None = None
    """Why it changes, for those who read its versions."""
    verdict_id: Name | None = None
    """The verdict behind it."""
    version: _Version | None = None
    """The version that it must have for this to hold; 0 where it must not exist. `If-Match` says the same."""


class Rollback(Body):
    """How to go back."""

    to: Annotated[int, Field(ge=1, le=_LARGEST, strict=True)] | None = None
    """The version whose targets are wanted again; absent, the one before the current one."""
    why: Text | None = None
    version: _Version | None = None
    """The version that it must have for this to hold."""


@router.put(
    "/v1/aliases/<alias>",
    scope="write",
    errors={
        404: "A model or the verdict does not exist.",
        409: "There is a model of this name, or there are as many aliases as there may be.",
        **_CHANGED,
    },
)
def put_alias(alias: str, asked: NewAlias) -> AliasDocument:
    """Make an alias, or change the one of this name.

    The name is a model from then on: for chat completions, responses, the runs of evals, distillations and the wrapper.
    Every target must answer, and none may be an alias. Who is at a target stays there while its weight grows.
    """
    _refuse_name(alias)
    if asked.verdict_id:
        Verdict.load(asked.verdict_id, param="verdict_id")
    routing = Routing.model_validate(asked.model_dump(include=set(Routing.model_fields)))
    said = _said(why=asked.why, verdict_id=asked.verdict_id, version=asked.version)
    return _changed(changing.put(alias, routing, said, lambda current: checks.refuse_routing(alias, routing, current)))


@router.get("/v1/aliases", scope="read", also="infer", lists=AliasDocument, query=(AFTER, LIMIT))
def list_aliases() -> dict[str, Any]:
    """List aliases by name."""
    return http.page_of(router, list(every_alias()), alias_document)


@router.get("/v1/aliases/<alias>", scope="read", also="infer")
def retrieve_alias(alias: str) -> AliasDocument:
    """Retrieve an alias: its targets, where each answers, and what the wrapper needs to choose as the gateway does."""
    return alias_document(changing.load(alias))


@router.delete("/v1/aliases/<alias>", scope="write", errors={**_CHANGED, 409: "The alias has an open rollout."})
def delete_alias(alias: str) -> Deleted:
    """Delete an alias: nobody answers for its name any more. Its versions stay."""
    refuse_alias_in_rollout(alias)
    changing.delete(alias, _said())
    return Deleted(id=alias, object="alias.deleted")


@router.get("/v1/aliases/<alias>/versions", scope="read", lists=AliasVersion, query=(AFTER, LIMIT))
def list_alias_versions(alias: str) -> dict[str, Any]:
    """List the versions of an alias, the newest first, those of a deleted one too."""
    current = Alias.find_any(alias) or changing.load(alias)
    limit = http.limit_of(router)
    found = history.versions(current, before=_number(http.query_of(router, "after"), alias))
    return http.listed(map(version_document, islice(found, limit + 1)), limit)


@router.post(
    "/v1/aliases/<alias>/rollback",
    scope="write",
    errors={409: "There is no version before this one.", **_CHANGED},
)
def roll_back_alias(alias: str, asked: Rollback) -> AliasDocument:
    """Go back to an earlier version's targets, in one call. It is a version, too.

    Without `to` it is the one before the current one; asked again, the one before that.
    """
    said = _said(why=asked.why, version=asked.version)
    return _changed(changing.roll_back(alias, asked.to, said, checks.refuse_retired))


def _said(*, why: str | None = None, verdict_id: str | None = None, version: int | None = None) -> Said:
    attempt = retried.object_id(router, "change_")
    return Said(router.context["key"].holder, why, verdict_id, attempt, _expected(version))


def _expected(version: int | None) -> int | None:
    """The version that the body or the header `If-Match` names."""
    header = router.current_event.headers.get("if-match")
    if header is None or header.strip() == "*":
        return version
    named = _TAG.fullmatch(header.strip())
    if named is None or version not in {None, int(named[1])}:
        raise ApiError(
            "Invalid header 'If-Match': the number of a version is expected, as 'version' has it.",
            code="invalid_value",
            param="If-Match",
        )
    return int(named[1])


def _changed(alias: Alias) -> AliasDocument:
    """The alias as it is shown, once its models and its verdict are linked to it."""
    node = Node("alias", alias.id)
    sources = [Node("model", model) for model in alias.routing.models]
    sources += [Node("verdict", alias.verdict_id)] if alias.verdict_id else []
    lineage.link((source, node) for source in sources)
    return alias_document(alias)


def _refuse_name(name: str) -> None:
    if not _NAMES.fullmatch(name):
        raise ApiError(
            "Invalid 'alias': at most 64 letters, digits, dots, dashes and underscores are expected, the first a "
            "letter or a digit. A slash or a colon would make it a provider's or a fine-tuned model.",
            code="invalid_value",
            param="alias",
        )


def _number(after: str | None, name: str) -> int | None:
    """The number of the version in the id after which a page begins; 0, before which none is, where it is none."""
    if after is None:
        return None
    named = _VERSION.fullmatch(after)
    return int(named[2]) if named and named[1] == name else 0
