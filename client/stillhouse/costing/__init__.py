"""`stillhouse costs`: what trainings and evals cost, and the cap of a month, from the command line."""
