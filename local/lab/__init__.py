"""The lab: an OpenAI-compatible model server whose students really learn, for the local stack.

In: what the `openai` SDK sends (chat completions, files, fine-tuning jobs, models), and recordings, schooling
and faults under `/lab`. Out: OpenAI's objects. With a folder for its state, recordings, files, jobs and trained models
are there again after a restart; batches are not.
"""
