"""Secrets read, and rules turned on and off, from the method of boto3's client to moto's books.

Every test of the system reads the first key's secret, and the clock's rule follows each job. A secret that has been
changed or deleted, and a rule that is absent, goes moto's way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.utils import parse_timestamp
from moto.core import DEFAULT_ACCOUNT_ID
from moto.events.models import events_backends
from moto.secretsmanager.models import secretsmanager_backends

from tests.quick_calls import NotStraight

type Answer = tuple[dict[str, Any], int]


def answered(service: str, operation: str, region: str, parameters: Any) -> Answer:
    """The answer and its status, or NotStraight."""
    answer, named = _ANSWERS[service, operation]
    if type(parameters) is not dict or parameters.keys() != {named} or type(parameters[named]) is not str:
        raise NotStraight
    return answer(region, parameters[named]), 200


def _secret(region: str, name: str) -> dict[str, Any]:
    secrets = secretsmanager_backends[DEFAULT_ACCOUNT_ID][region].secrets
    found = secrets.get(name)
    if found is None or found.is_deleted() or len(found.versions) != 1:
        raise NotStraight
    [version] = found.versions.values()
    if "secret_string" not in version or found.default_version_id != version["version_id"]:
        raise NotStraight
    return {
        "ARN": found.arn,
        "Name": found.name,
        "VersionId": version["version_id"],
        "SecretString": version["secret_string"],
        "VersionStages": [*version["version_stages"]],
        "CreatedDate": parse_timestamp(version["createdate"]),
    }


def _rule(region: str, name: str) -> Any:
    rule = events_backends[DEFAULT_ACCOUNT_ID][region].event_buses["default"].rules.get(name)
    if rule is None:
        raise NotStraight
    return rule


def _enabled(region: str, name: str) -> dict[str, Any]:
    _rule(region, name).enable()
    return {}


def _disabled(region: str, name: str) -> dict[str, Any]:
    _rule(region, name).disable()
    return {}


_ANSWERS: dict[tuple[str, str], tuple[Callable[[str, str], dict[str, Any]], str]] = {
    ("secretsmanager", "GetSecretValue"): (_secret, "SecretId"),
    ("events", "EnableRule"): (_enabled, "Name"),
    ("events", "DisableRule"): (_disabled, "Name"),
}
OPERATIONS = frozenset(_ANSWERS)
