"""A simulator of TomTom's Global Entity Matcher on this machine. Never deployed."""

from devkit.simulator.access import SimulatorSettings
from devkit.simulator.life import CLEAN, LIVES, Life, OutputFault, Trouble
from devkit.simulator.simulator import GemSimulator

__all__ = [
    "CLEAN",
    "LIVES",
    "GemSimulator",
    "Life",
    "OutputFault",
    "SimulatorSettings",
    "Trouble",
]
