"""`stillhouse costs`: what trainings, evals and rollouts cost, and the cap of a month, from the command line."""
