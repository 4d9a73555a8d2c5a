# /// script
# requires-python = ">=3.11"
# dependencies = ["dspy==3.4.1"]
# ///
"""DSPy."""

import os

import dspy

lm = dspy.LM(
    "openai/lab-small",
    api_base=os.environ["STILLHOUSE_GATEWAY_URL"],
    api_key=os.environ["STILLHOUSE_API_KEY"],
    extra_headers={"X-Stillhouse-Store": "true", "X-Stillhouse-Metadata": "feature=triage"},
    cache=False,
)
dspy.configure(lm=lm, adapter=dspy.JSONAdapter())
triage = dspy.Predict("mail -> answer: Literal['billing', 'parcels']")
print(triage(mail="My parcel has not arrived.").answer)
