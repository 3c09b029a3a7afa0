"""Builds clients and stores from the settings, for the app, the commands and the doctor.

Each is built once in a process. Their libraries are slow to import, so each is imported where it is
first needed. The host indexes the app without them, and a tick never imports pyarrow.
"""
