"""What a training set looks like: computed while its completions are read, told by `distillations.report`."""
