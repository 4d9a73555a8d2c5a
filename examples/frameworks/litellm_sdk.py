# /// script
# requires-python = ">=3.11"
# dependencies = ["litellm==1.110.2"]
# ///
"""LiteLLM's SDK."""

import os

import litellm

answer = litellm.completion(
    model="openai/lab-large",
    api_base=os.environ["STILLHOUSE_GATEWAY_URL"],
    api_key=os.environ["STILLHOUSE_API_KEY"],
    messages=[{"role": "user", "content": "My parcel has not arrived."}],
    store=True,
    extra_headers={"X-Stillhouse-Metadata": "feature=triage"},
)
print(answer.choices[0].message.content)
