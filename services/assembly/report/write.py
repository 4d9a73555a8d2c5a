"""Write the report of a training set beside its files.

In: a set that is decided, and what it is made for. Out: `report.json`, and the sentences that the card shows, too.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from assembly.figures import Figures
from assembly.making import Making
from assembly.masking import mask_of
from assembly.production import counted, is_told, is_what_was_selected, recent_traffic
from assembly.report.build import About, report_of
from assembly.report.concerns import MOST_OF_CARD
from assembly.report.survey import Counted, Production, production_of
from distillations.dataset import dataset_key
from distillations.report.document import REPORT, ProductionTraffic
from distillations.text_steps import PersonalData
from foundation import blobs


def write_report(figures: Figures, survey: tuple[Counted, Production], making: Making, about: About) -> list[str]:
    """Write it over whatever an earlier delivery left."""
    report = report_of(figures, *survey, making.recipe, about)
    if report.production and not is_told(report.production, len(making.traffic)):
        report = report.model_copy(update={"production": _with_its_rate(report.production, making)})
    body = orjson.dumps(report.model_dump(mode="json"))
    blobs.put(dataset_key(about.id, REPORT), body, content_type="application/json")
    return report.warnings[:MOST_OF_CARD]


def _with_its_rate(traffic: ProductionTraffic, making: Making) -> ProductionTraffic:
    return traffic.model_copy(update={"counted": counted(making.traffic, before=making.at // 1000)})


def production(making: Making, selected: int, everything: Callable[[], Production]) -> Production:
    """The recent traffic of the filters of a set. `everything` gives what was selected, where that is the same."""
    traffic, before, recipe = making.traffic, making.at // 1000, making.recipe
    if traffic and is_what_was_selected(traffic, recipe, selected, before=before):
        return everything()
    mask = mask_of(recipe.steps_of(PersonalData))
    return production_of(recent_traffic(traffic, before=before), recipe.slice_keys, mask)
