"""The stories: what the app does, step by step. Edges come in as arguments."""
