"""What users of Stillhouse install: the `stillhouse` command."""
