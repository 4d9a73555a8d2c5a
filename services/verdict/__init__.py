"""Verdict: compare the three runs, decide, notify."""
