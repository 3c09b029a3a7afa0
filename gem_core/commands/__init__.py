"""What a person runs at a desk: `python -m gem_core COMMAND`. Each module is one command."""
