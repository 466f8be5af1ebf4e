"""Conventions: what the option `--labels` takes."""

CONVENTION = "acdc (1 RV, 2 myocardium, 3 LV); mnms and ukbb (both 1 LV, 2 myocardium, 3 RV)"
