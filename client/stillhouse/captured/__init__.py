"""The captured completions on the command line."""
