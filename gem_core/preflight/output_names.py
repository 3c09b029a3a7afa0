"""The names that outputs of an input get, by GEM's pages. Pure."""

from gem_core.gem.contracts.known import CONTRACTS

_STEM = "x"
OUTPUT_ENDINGS = tuple(
    contract.output_name(f"{_STEM}.parquet").removeprefix(_STEM) for contract in CONTRACTS.values()
)
"""How the names of outputs end."""


def output_names(input_name: str) -> dict[str, str]:
    """By contract, the name of the output of an input.

    It depends on the name of the input alone. So each job on an input of the same name overwrites
    the output of the job before.
    """
    return {name: contract.output_name(input_name) for name, contract in CONTRACTS.items()}
