"""The drift watch of an alias: its documents, which aliases are watched, and how it is told."""
