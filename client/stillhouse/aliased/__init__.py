"""`stillhouse alias`: the names that applications call, from the command line."""
