"""The bit-exact simulator."""

from bnn.sim.simulate import Simulation, simulate

__all__ = ["Simulation", "simulate"]
