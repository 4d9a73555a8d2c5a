"""`stillhouse job`: the fine-tuning jobs, from the command line."""
