"""A development runner for a Python v2 Functions app; not the Azure Functions host. See README.md.

`python -m devkit.runner` runs one app. `Runner` runs one in a child process.
"""

from devkit.runner.subprocess_runner import Runner

__all__ = ["Runner"]
