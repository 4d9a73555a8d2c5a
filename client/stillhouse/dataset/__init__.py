"""The command `stillhouse dataset`."""
