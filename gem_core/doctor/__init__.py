"""What is wrong with an installation, found by looking at each part that the app needs."""
