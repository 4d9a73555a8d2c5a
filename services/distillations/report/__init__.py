"""The report of a training set: its documents, and how people are told it."""
