"""GERS ids looked up in the job's Overture release."""
