"""Verdict: the evidence of the three runs, and the decision."""
