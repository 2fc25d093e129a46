"""The pages, one file each: a request in, an answer out."""
