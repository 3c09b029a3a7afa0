"""Watching jobs: the record of a job, when to act on it next, and how records are stored."""
