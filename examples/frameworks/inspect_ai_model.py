# /// script
# requires-python = ">=3.11"
# dependencies = ["inspect-ai==0.3.285", "openai==3.57.0"]
# ///
"""Inspect."""

import asyncio
import os

from inspect_ai.model import GenerateConfig, get_model

model = get_model(
    "openai/lab-large",
    base_url=os.environ["STILLHOUSE_GATEWAY_URL"],
    api_key=os.environ["STILLHOUSE_API_KEY"],
    responses_api=False,
    config=GenerateConfig(extra_headers={"X-Stillhouse-Store": "true", "X-Stillhouse-Metadata": "feature=triage"}),
)
print(asyncio.run(model.generate("My parcel has not arrived.")).completion)
