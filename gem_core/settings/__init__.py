"""The app settings: how they are read, their rules, and local settings files."""
