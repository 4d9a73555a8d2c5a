"""The figures of a load as lines of text: what was done, what was struck, how it ended, what it held in memory."""

from __future__ import annotations

from collections import Counter

from tests.flow.mixed.load import Load

_MIB = 1024 * 1024


def figures(load: Load) -> str:
    faults, lab = load.faults, load.lab
    return "\n".join(
        [
            f"mixed load: {len(load.memories)} rounds",
            _line("acts", load.acts),
            _line("of the stack", load.stack.counts),
            _line("AWS calls", faults.calls),
            _line("AWS calls struck", faults.struck),
            f"  provider and trainer: {lab.calls} calls, struck {dict(sorted(lab.struck.items()))}",
            f"  webhooks refused: {load.received.refused}",
            _line("ends", load.ends),
            _memories(load),
        ]
    )


def _line(name: str, counts: Counter[str]) -> str:
    return f"  {name}: " + ", ".join(f"{subject} {count}" for subject, count in sorted(counts.items()))


def _memories(load: Load) -> str:
    """At the end of each quarter of the rounds."""
    last = len(load.memories) - 1
    quarters = [load.memories[last * quarter // 4] for quarter in range(5)]
    shown = ", ".join(f"{memory.bytes // _MIB} MiB and {memory.objects} objects" for memory in quarters)
    return f"  memory after the first round and at each quarter: {shown}"
