"""Assembly: captured completions into a training set, with its manifest, its card and what became of the rest."""
