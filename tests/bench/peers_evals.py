"""One eval runner of others, run in `.venv-peers`: seconds for so many rows, sampled and compared, without its start.

In: its name, the provider's base URL, rows, how many at once. Out: the seconds, on the last line of standard output.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

QUESTION = "The parcel was late and the courier left no card, please tell me what to do now. " * 4


def deepeval(base_url: str, rows: int, at_once: int) -> float:
    """Its exact match over answers of its users' own client, as its manual has it: it samples nothing itself."""
    from deepeval import evaluate
    from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig
    from deepeval.metrics import ExactMatchMetric
    from deepeval.test_case import LLMTestCase
    from openai import AsyncOpenAI

    async def sampled() -> list[str]:
        client, slots = AsyncOpenAI(base_url=base_url, api_key="k"), asyncio.Semaphore(at_once)

        async def ask(number: int) -> str:
            async with slots:
                messages = [{"role": "user", "content": f"{number}. {QUESTION}"}]
                answer = await client.chat.completions.create(model="big", messages=messages)  # type: ignore[arg-type]
            return answer.choices[0].message.content or ""

        return await asyncio.gather(*(ask(number) for number in range(rows)))

    started = time.perf_counter()
    cases = [
        LLMTestCase(input=f"{number}. {QUESTION}", actual_output=text, expected_output="yes")
        for number, text in enumerate(asyncio.run(sampled()))
    ]
    evaluate(
        cases,
        [ExactMatchMetric()],
        async_config=AsyncConfig(max_concurrent=at_once),
        display_config=DisplayConfig(show_indicator=False, print_results=False),
        cache_config=CacheConfig(write_cache=False),
    )
    return time.perf_counter() - started


def inspect_ai(base_url: str, rows: int, at_once: int) -> float:
    from inspect_ai import Task, eval  # noqa: A004 - its name
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import get_model
    from inspect_ai.scorer import exact
    from inspect_ai.solver import generate

    samples = [Sample(input=f"{number}. {QUESTION}", target="yes") for number in range(rows)]
    task = Task(dataset=MemoryDataset(samples), solver=generate(), scorer=exact())
    model = get_model("openai/big", base_url=base_url, api_key="k", responses_api=False)
    started = time.perf_counter()
    (log,) = eval(task, model=model, max_connections=at_once, max_samples=at_once, display="none", log_dir="logs")
    took = time.perf_counter() - started
    if log.status != "success":
        raise SystemExit(f"inspect_ai ended with {log.status}")
    return took


def main() -> None:
    name, base_url, rows, at_once = sys.argv[1:]
    os.environ.update(DEEPEVAL_TELEMETRY_OPT_OUT="YES", DEEPEVAL_UPDATE_WARNING_OPT_IN="NO", INSPECT_DISPLAY="none")
    took = {"deepeval": deepeval, "inspect_ai": inspect_ai}[name](base_url, int(rows), int(at_once))
    sys.stdout.write(f"\n{took}\n")


if __name__ == "__main__":
    main()
