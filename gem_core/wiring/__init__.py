"""Builds the edges from the settings: for the app and the commands, and for the doctor."""
