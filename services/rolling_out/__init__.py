"""Rolling out: what open rollouts need of captured completions, of runs that ended and of time that passed."""
