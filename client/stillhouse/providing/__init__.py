"""`stillhouse provider`: the model providers of a Stillhouse, from the command line."""
