"""What became of the GERS ids between two runs of GEM over the same roads."""
