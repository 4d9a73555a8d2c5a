"""Retention: completions that are deleted, expired or half recorded."""
