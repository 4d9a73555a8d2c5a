# /// script
# requires-python = ">=3.11"
# dependencies = ["stillhouse", "instructor==1.17.0"]
#
# [tool.uv.sources]
# stillhouse = { path = "../../.." }
# ///
"""Instructor with a wrapped client."""

from typing import Literal

import instructor
from openai import OpenAI
from pydantic import BaseModel

from stillhouse import capture


class Triage(BaseModel):
    """The queue that a mail is for."""

    queue: Literal["billing", "parcels"]


openai = capture(OpenAI(), store=True, metadata={"feature": "triage"})
client = instructor.from_openai(openai, mode=instructor.Mode.JSON_SCHEMA)
mail = [{"role": "user", "content": "My parcel has not arrived."}]
print(client.create(model="lab-small", response_model=Triage, messages=mail).queue)
openai.stillhouse.flush()
