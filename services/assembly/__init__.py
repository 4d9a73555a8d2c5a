"""Assembly: captured completions into a training set, with its manifest and its card."""
