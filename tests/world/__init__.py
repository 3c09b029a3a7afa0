"""A simulated world: everything around the app, in virtual time, deterministic, and hostile.

`python -m tests.world` runs the campaign; docs/chaos.md says how it works.
"""
