"""The stories: check jobs, deliver results, manage jobs. Edges come in as arguments."""
