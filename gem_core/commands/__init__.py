"""The command line `gem-courier COMMAND`. A command has a module for its arguments and one that
runs it.
"""
