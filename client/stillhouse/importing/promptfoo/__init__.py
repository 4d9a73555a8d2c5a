"""Promptfoo's configs as evals: its asserts become criteria, its tests rows, its prompts and providers runs.

In: promptfooconfig.yaml and the files it names. Out: one eval for all tests that are held to the same kinds of asserts,
with what differs between them in their rows. What has no counterpart is named, never approximated in silence.
Source: Promptfoo's documentation and its `src/assertions`, as of 2026.
"""
