"""The same table by several writers."""
