"""A runtime of our own for one function, whose answers leave it as they are made.

The managed Python runtime sends an answer when it is whole. This one speaks the same interface, Lambda's Runtime API,
in its streaming mode. `start` puts it in the managed runtime's place: AWS_LAMBDA_EXEC_WRAPPER names that script.
"""
