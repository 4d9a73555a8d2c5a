"""Runs a grader's source in a process of its own. Stands on the standard library alone."""
