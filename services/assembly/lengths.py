"""How many tokens an example has: as the provider counted them, else by its bytes.

A token is about four letters of English, and about one Chinese character, which is three bytes.
"""

from __future__ import annotations

from assembly.curation.rule import Candidate
from completions.messages import text_of
from evals.estimate import BYTES_A_TOKEN


def tokens_of(candidate: Candidate) -> int:
    """The tokens of the example. A line that was changed is counted by its bytes: nobody has counted its tokens."""
    completion = candidate.completion
    counted = completion.prompt_tokens, completion.completion_tokens
    if None not in counted and not candidate.changed and not candidate.corrected:
        return sum(number or 0 for number in counted)
    texts = (text_of(message.get("content")) for message in candidate.line["messages"])
    return -(-sum(len(text.encode(errors="surrogatepass")) for text in texts) // BYTES_A_TOKEN)
