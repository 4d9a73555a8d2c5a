"""The drift watch: the recent traffic of an alias beside what its model learnt from, told by `distillations.drift`."""
