"""Builds the edges from the settings, once a process: for the app, the commands and the doctor.

The libraries behind the edges are slow to import, so each is imported where it is first needed: the
host indexes the app without them, and a tick never imports pyarrow.
"""
