"""Tools for developers: storage emulator, Functions runner, GEM simulator. Never deployed."""
