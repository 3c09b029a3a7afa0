"""Diagnoses an installation: one diagnostic for each part that the app needs."""
