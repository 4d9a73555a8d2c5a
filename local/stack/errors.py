"""What goes wrong with the local stack."""


class StackError(Exception):
    """The stack cannot start, build or deploy; the message says why and where the log is."""
