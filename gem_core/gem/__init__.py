"""GEM, the remote service: a job in neutral words, contracts, the client, its token."""
