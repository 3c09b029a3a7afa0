"""The audit: builders in `build`, one file of tests a module."""
