"""The template of this repository, deployed to an emulator on this machine, with the lab as its provider.

On the command line `python -m local.stack run|up|down|reset|status`; in Python `local.stack.control` has the same as
`ensure_up`, `running`, `down` and `reset`. What was captured survives a stop and an update of the sources.
"""
