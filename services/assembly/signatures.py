"""Signatures of questions: by how many of their numbers are equal two questions are about as alike as their pieces are.

In: a question's pieces. Out: its MinHash signature of 128 numbers (rensa) as bytes, and bands of it: the
slices of which two questions that are alike have one in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import eq

HASHES = 128
LENGTH = 4 * HASHES
"""The bytes of a signature."""
_SEED = 42
_SURE = 0.99


def signature_of(words: Iterable[str]) -> bytes:
    """The signature of a question with these pieces."""
    # Imported here: recipes without such a step do not pay for it.
    from array import array

    from rensa import RMinHash

    signature = RMinHash(HASHES, _SEED)
    signature.update(list(words))
    return array("I", signature.digest()).tobytes()


def estimate(one: bytes, other: bytes) -> float:
    """About which share of their pieces two questions have in common."""
    equal: int = sum(map(eq, memoryview(one).cast("I"), memoryview(other).cast("I")))
    return equal / HASHES


def bands(similarity: float) -> int:
    """The fewest bands of a signature by which two questions of this similarity meet in one in 99 of 100 cases."""
    for number in (8, 16, 32, 64):
        if 1 - (1 - similarity ** (HASHES / number)) ** number >= _SURE:
            return number
    return HASHES


def slices(signature: bytes, number: int) -> Iterator[int]:
    """A hash of each of so many bands of a signature. Only within this process are they equal for equal bands."""
    width = LENGTH // number
    return (hash((at, signature[at : at + width])) for at in range(0, LENGTH, width))
