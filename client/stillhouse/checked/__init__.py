"""Whether a deployed Stillhouse is well, on the command line."""
