"""Whether a file of roads is fit to be sent to GEM."""
