"""Advice for a new Overture release."""
