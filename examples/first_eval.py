"""From captured calls to an eval's result.

In: calls that are captured with the tag `feature=triage`, as the scripts of examples/frameworks leave them, and
STILLHOUSE_BASE_URL and STILLHOUSE_API_KEY in the environment. docs/how-to/evals.md explains the steps.
"""

import os
import time
from typing import Any

from openai import OpenAI

TAGS = {"feature": "triage"}
stillhouse = OpenAI(base_url=os.environ["STILLHOUSE_BASE_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])

# What was captured, and the right answer to it, which usually a person knows. An update replaces all metadata.
captured = list(stillhouse.chat.completions.list(metadata=TAGS))
for completion in captured:
    stillhouse.chat.completions.update(completion.id, metadata={**TAGS, "queue": "shipping_delay"})
print(f"{len(captured)} calls captured")

# What is asked of an answer: it is the right one.
triage = stillhouse.evals.create(
    name="triage",
    data_source_config={"type": "stored_completions", "metadata": {**TAGS}},
    testing_criteria=[
        {
            "type": "string_check",
            "name": "right queue",
            "input": "{{ sample.output_text }}",
            "reference": "{{ item.metadata.queue }}",
            "operation": "eq",
        }
    ],
)

# A run without `model` asks it of the answers as they were captured; with `model` that model answers anew.
run: Any = stillhouse.evals.runs.create(
    triage.id,
    name="as captured",
    data_source={"type": "completions", "source": {"type": "stored_completions", "metadata": {**TAGS}}},
)
while run.status in {"queued", "in_progress"}:
    time.sleep(0.5)
    run = stillhouse.evals.runs.retrieve(run.id, eval_id=triage.id)

print(f"{run.status}: {run.result_counts.passed} of {run.result_counts.total} passed; {run.report_url}")
for item in stillhouse.evals.runs.output_items.list(run.id, eval_id=triage.id):
    print(item.status, item.sample.output[0].content)
