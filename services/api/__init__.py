"""The REST resources: stored completions, evals, files, fine-tuning, distillations, datasets, lineage, models."""
