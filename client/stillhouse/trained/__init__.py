"""`stillhouse model`: the models that were trained, from the command line."""
