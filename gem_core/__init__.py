"""GEM Courier: watch TomTom Global Entity Matcher jobs, audit their output, tell a queue."""
