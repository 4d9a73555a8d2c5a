"""Write the report of a training set beside its files.

In: the curator that has decided, with its survey, and the filters of recent traffic. Out: `report.json`, and the
sentences that the card shows, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from assembly.curate import Curator
from assembly.masking import mask_of
from assembly.production import is_what_was_selected, recent_traffic
from assembly.report.build import About, report_of
from assembly.report.concerns import MOST_OF_CARD
from assembly.report.survey import Production, production_of
from completions.sources import StoredCompletions
from distillations.dataset import dataset_key
from distillations.recipe import UsedRecipe
from distillations.report.document import REPORT
from distillations.text_steps import PersonalData
from foundation import blobs


def write_report(curator: Curator, recipe: UsedRecipe, traffic: Sequence[StoredCompletions], about: About) -> list[str]:
    """Write it over whatever an earlier delivery left."""
    report = report_of(curator, _production(curator, recipe, traffic, about.created_at), recipe, about)
    body = orjson.dumps(report.model_dump(mode="json"))
    blobs.put(dataset_key(about.id, REPORT), body, content_type="application/json")
    return report.warnings[:MOST_OF_CARD]


def _production(curator: Curator, recipe: UsedRecipe, traffic: Sequence[StoredCompletions], before: int) -> Production:
    selected = curator.journal.selected
    if curator.survey and traffic and is_what_was_selected(traffic, recipe, selected, before=before):
        return curator.survey.everything()
    mask = mask_of(recipe.steps_of(PersonalData))
    return production_of(recent_traffic(traffic, before=before), recipe.slice_keys, mask)
