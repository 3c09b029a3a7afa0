"""Settings: every app setting, how one is read, what may stand in it, and local settings files."""
