"""The template of this repository, deployed to an emulator on this machine, with the lab as its provider.

On the command line `python -m local.stack run|up|down|status`; from Python `local.stack.control` has the same:
`ensure_up`, `running`, `down`.
"""
