"""The bit-exact simulator."""

from bnn.sim.simulate import Simulation, Taken, simulate, simulate_exits

__all__ = ["Simulation", "Taken", "simulate", "simulate_exits"]
