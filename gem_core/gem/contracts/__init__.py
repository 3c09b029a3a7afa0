"""The generations of GEM's API, one module each; `known` finds the contract of a job."""
