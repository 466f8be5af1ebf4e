"""Review: a page on this machine where a person looks at the results of `predict`."""
