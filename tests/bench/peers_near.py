"""Near-duplicates by a library of others, run in `.venv-near`: seconds of CPU, and the pairs that it finds.

In: its name, and a file with a text a line. Out: JSON on standard output. Each reads the texts one by one, cuts them
into the same pieces of three words, makes a signature of 128 numbers of them, and keeps a text that is near none before
it. Of what is near a text the pair is that with the most alike signature.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_WORD = re.compile(r"\w+")
_SIMILARITY = 0.85
_HASHES = 128


def pieces(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The pieces of each text, by its number."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            words = _WORD.findall(line.casefold())
            yield str(number), list({" ".join(words[at : at + 3]) for at in range(len(words) - 2)})


def datasketch(path: Path) -> Iterator[tuple[str, str]]:
    from datasketch import MinHash, MinHashLSH

    index, kept = MinHashLSH(threshold=_SIMILARITY, num_perm=_HASHES), {}
    for name, found in pieces(path):
        signature = MinHash(num_perm=_HASHES)
        signature.update_batch([piece.encode() for piece in found])
        near = [other for other in index.query(signature) if kept[other].jaccard(signature) >= _SIMILARITY]
        if near:
            yield max(near, key=lambda other: kept[other].jaccard(signature)), name
        else:
            index.insert(name, signature)
            kept[name] = signature


def rensa(path: Path) -> Iterator[tuple[str, str]]:
    from rensa import RMinHash, RMinHashDeduplicator

    index, kept = RMinHashDeduplicator(_SIMILARITY, _HASHES, use_lsh=True), {}
    for name, found in pieces(path):
        signature = RMinHash(_HASHES, 42)
        signature.update(found)
        if index.add(name, signature):
            kept[name] = signature
            continue
        near = index.get_duplicates(signature)
        if near:
            yield max(near, key=lambda other: kept[other].jaccard(signature)), name


def main() -> None:
    name, path = sys.argv[1:]
    importlib.import_module(name)
    begun = time.process_time()
    found = list({"datasketch": datasketch, "rensa": rensa}[name](Path(path)))
    seconds = time.process_time() - begun
    pairs = [(int(one), int(other)) for one, other in found]
    sys.stdout.write(json.dumps({"seconds": seconds, "pairs": pairs}))


if __name__ == "__main__":
    main()
