"""Retire trained models that lost their verdict, or were not chosen, after the days that the stack's owner has said.

In: the models that answer, their verdicts, the days. Out: an alert a week before, then a `RetireModel`. A model whose
alert is younger than a week waits, so that nobody finds a model gone without having been told.
"""

from __future__ import annotations

from datetime import UTC, datetime

from aliases.alias import every_alias
from distillations.lost import Notice, give_notice, lost_at, notices, take_back_notice
from foundation import bus
from foundation.events import RetireModel
from foundation.ids import now
from foundation.one_by_one import one_by_one
from notifications.alerts import Alert
from notifications.raising import raise_once
from providers.model_version import ModelVersion
from providers.spending import cost_settings
from rollouts.rollout import Rollout

_DAY_S = 86_400
_NOTICE_S = 7 * _DAY_S


def retire_lost() -> None:
    """Tell of the models that are to be retired within a week, and have those retired whose time has come."""
    days = cost_settings().retire_lost_after_days
    due = {} if days is None else _due(days)
    given = notices()
    for model in given.keys() - due.keys():
        take_back_notice(model)

    def announce(one: tuple[ModelVersion, int]) -> None:
        version, lost = one
        notice = given.get(version.id)
        if notice is None or notice.days != days:
            notice = Notice(days or 0, now())
            give_notice(version.id, notice)
        _tell_or_retire(version, notice, max(lost + notice.days * _DAY_S, notice.since + _NOTICE_S))

    one_by_one(due.values(), announce, name=lambda one: one[0].id, failed="a model that lost is not retired")


def _due(days: int) -> dict[str, tuple[ModelVersion, int]]:
    """The models whose end is a week away or less, with when they lost. None is in an alias or an open rollout."""
    due = {}
    serving = {model for alias in every_alias() for model in alias.routing.models}
    serving |= {model for rollout in Rollout.open_ones() for model in (rollout.candidate, rollout.stable)}
    for version in ModelVersion.every():
        stays = version.keep or version.retired_at or version.id in serving
        lost = None if stays else lost_at(version)
        if lost is not None and now() >= lost + days * _DAY_S - _NOTICE_S:
            due[version.id] = version, lost
    return due


def _tell_or_retire(version: ModelVersion, notice: Notice, end: int) -> None:
    alert = _alert(version, notice, end)
    told = Alert.find(alert.id)
    if told is None or told.told_at is None:
        raise_once(alert)
    elif now() - told.created_at >= _NOTICE_S:
        retire = RetireModel(model_id=version.id)
        bus.send(retire)


def _alert(version: ModelVersion, notice: Notice, end: int) -> Alert:
    """What people are told; another notice is told anew."""
    day = datetime.fromtimestamp(end, UTC).date().isoformat()
    return Alert.of(
        "model.retirement_approaching",
        version.id,
        notice.days,
        notice.since,
        sentence=f"The model {version.id} lost its verdict, or was not chosen, and is retired on {day}.",
        lines=[
            f"Its distillation is {version.distillation_id}.",
            f'To keep it: POST /v1/models/{version.id} {{"keep": true}}, or stillhouse model keep {version.id}.',
        ],
    )
