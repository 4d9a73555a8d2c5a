"""From which confidence on a cheap model's answers can be kept, so that it fails hardly more often than a dear one.

In: rows with how sure the cheap model was and how much worse it was than the dear one, -1 to 1. Out: the threshold that
keeps most, of those that are surely safe: with the probability `confidence`, the rows that are still to come lose at
most `margin` in the mean over all rows, where a row that is not kept loses nothing. None where nothing can be promised.
Wrong arguments raise ValueError.

The thresholds are tested one after the other from the highest on, until one fails (fixed sequence testing, as in
Angelopoulos, Bates, Candes, Jordan & Lei (2021), "Learn then Test", arXiv:2110.01052): so the loss may rise and fall
with the threshold, which conformal risk control proper (Angelopoulos et al. 2022, arXiv:2208.02814) does not allow, and
which promises its mean alone. The sequence is all numbers in falling order, whatever was observed: between two observed
confidences the test stays the same, and above the highest one nothing is kept, which must pass, too. A promise breaks
only if the highest threshold that is not safe passes its test. That one is a fixed number, so one test at the level
1 - confidence is all that is paid for.

The test is a bet against "the mean loss is above the margin": a stake of 1 is multiplied by 1 + bet * (margin - loss)
with each row, which gains nothing in the mean while that is true, so by Markov's inequality it reaches 1 / (1 -
confidence) with the probability 1 - confidence at most (Waudby-Smith & Ramdas (2024), "Estimating means of bounded
random variables by betting", JRSS B 86:1-27). The stake is spread over bets that are fixed beforehand, so the order of
the rows does not matter. The rows have to be independent of each other and like those to come.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

# The largest bet stops short of where one lost row would take the whole stake.
_BOLDEST = 0.9
# More rows nobody has.
_MOST_ROWS = 1 << 40


class ComparedRow(NamedTuple):
    """A row that both models answered."""

    confidence: float | None
    """How sure the cheap model was; None or NaN where that is not known, and the row is never kept."""
    loss: float
    """How much worse than the dear one it was: 1 where it alone failed, -1 where the dear one alone did."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a threshold keeps of the rows it was chosen on."""

    threshold: float
    """Answers of this confidence and above are kept."""
    kept: int
    rows: int
    loss: float
    """The mean loss over all rows, kept or not."""

    @property
    def share(self) -> float:
        """The share of the rows that it keeps."""
        return self.kept / self.rows


def safe_threshold(rows: Iterable[ComparedRow], *, margin: float, confidence: float = 0.95) -> Kept | None:
    """The threshold that keeps most, with at most this loss at this confidence; None where none is surely safe."""
    compared = list(rows)
    if any(not abs(row.loss) <= 1.0 for row in compared):
        raise ValueError("a loss must lie between -1 and 1")
    stakes = _Stakes(len(compared), margin, confidence)
    if not stakes.reached():
        return None
    found, kept, lost = None, 0, 0.0
    for threshold, tied in groupby(_from_the_surest(compared), key=lambda row: row[0]):
        for _, loss in tied:
            stakes.lose(loss)
            kept, lost = kept + 1, lost + loss
        if not stakes.reached():
            break
        found = Kept(threshold=threshold, kept=kept, rows=len(compared), loss=lost / len(compared))
    return found


def fewest_rows(*, margin: float, confidence: float = 0.95) -> int | None:
    """With fewer rows nothing can be promised, were the cheap model never worse; None where no number is enough."""
    if not _Stakes(_MOST_ROWS, margin, confidence).reached():
        return None
    enough = 1
    while not _Stakes(enough, margin, confidence).reached():
        enough *= 2
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if _Stakes(middle, margin, confidence).reached():
            enough = middle
        else:
            too_few = middle
    return enough


def _from_the_surest(rows: Sequence[ComparedRow]) -> list[tuple[float, float]]:
    known = [(row.confidence, row.loss) for row in rows if row.confidence is not None]
    return sorted((row for row in known if not math.isnan(row[0])), key=lambda row: -row[0])


class _Stakes:
    """The stakes of all bets against "the mean loss is above the margin", as logarithms; at first no row loses."""

    def __init__(self, rows: int, margin: float, confidence: float) -> None:
        if not 0.0 <= margin < 1.0 or not 0.0 < confidence < 1.0:
            raise ValueError(f"expected a margin from 0 to 1 and a confidence in between, got {margin}, {confidence}")
        self._bets = _bets(rows, margin, confidence)
        self._margin = margin
        self._goal = -math.log1p(-confidence) + math.log(len(self._bets))
        self._logs = [rows * math.log1p(bet * margin) for bet in self._bets]

    def lose(self, loss: float) -> None:
        """One of the rows is kept, and loses this instead of nothing."""
        if loss:
            for number, bet in enumerate(self._bets):
                self._logs[number] += math.log1p(bet * (self._margin - loss)) - math.log1p(bet * self._margin)

    def reached(self) -> bool:
        """Whether the mean stake has reached 1 / (1 - confidence)."""
        most = max(self._logs)
        if most >= self._goal:
            return True
        return most + math.log(math.fsum(math.exp(one - most) for one in self._logs)) >= self._goal


def _bets(rows: int, margin: float, confidence: float) -> list[float]:
    """From the bet that is best where every row differs to the boldest one, each twice the one before."""
    boldest = _BOLDEST / (1.0 - margin)
    bet = math.sqrt(-2.0 * math.log1p(-confidence) / max(1, rows))
    bets = []
    while bet < boldest:
        bets.append(bet)
        bet *= 2.0
    return [*bets, boldest]
