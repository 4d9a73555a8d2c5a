"""Evals that stand elsewhere, brought to Stillhouse: OpenAI's with their runs and grades, Promptfoo's configs.

In: a source of evals and where Stillhouse is. Out: evals, files of rows and runs there, under metadata that names their
origin, by which a second import finds them. Nothing is kept on disk: what stands in Stillhouse says how far it came.
"""
