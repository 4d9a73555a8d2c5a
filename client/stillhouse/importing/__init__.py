"""The importers behind `stillhouse import`: completions that another system recorded, pushed to Stillhouse.

In: a source (an API, a bucket, files) and where Stillhouse is. Out: the same completions under their own ids, with
their origin. What a source holds that is no chat completion is counted by its reason, never guessed at. An import that
was stopped goes on where it was, and one that is run again changes nothing.
"""
