"""Function apps for the tests of the runner."""
