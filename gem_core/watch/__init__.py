"""Watching: our record of a job, when to act on it next, and where records are kept."""
