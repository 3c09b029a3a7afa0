"""Proves that an output keeps its promises: ranged reads, facts folded from batches, checks."""
