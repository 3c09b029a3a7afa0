"""A simulator of TomTom's Global Entity Matcher on this machine. Never deployed."""

from devkit.simulator.access import SimulatorSettings
from devkit.simulator.generation import NEWER, PAGE, Columns, Generation, Kind
from devkit.simulator.life import CLEAN, LIVES, Life, OutputFault, Trouble
from devkit.simulator.simulator import GemSimulator

__all__ = [
    "CLEAN",
    "LIVES",
    "NEWER",
    "PAGE",
    "Columns",
    "GemSimulator",
    "Generation",
    "Kind",
    "Life",
    "OutputFault",
    "SimulatorSettings",
    "Trouble",
]
