"""Settings: every app setting, how one is read, its rules, and local settings files."""
