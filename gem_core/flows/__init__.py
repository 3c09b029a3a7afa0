"""What the app does, step by step. Each module here is one process, such as a tick or a delivery.

Storage, GEM and the clock are passed in as arguments.
"""
