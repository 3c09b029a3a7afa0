"""What a developer runs here: storage emulator, Functions runner, GEM simulator. Never deployed."""
