"""The networks of a training run meet the subjects that they have not seen."""
