"""What a host answers and runs, recorded in the same way from the development runner and from the
host's own extensions. README.md of the runner says how.
"""
