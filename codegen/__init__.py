"""From an integer graph to source code: a plan that no language knows of, and one emitter a language."""

from codegen.choose import DEFAULT, KERNELS, Choice, Options, choose
from codegen.cost import Cost, costs
from codegen.generate import KnownAnswer, generate
from codegen.layout import Tensor
from codegen.plan import Plan, make_plan
from codegen.steps import Step

__all__ = [
    "DEFAULT",
    "KERNELS",
    "Choice",
    "Cost",
    "KnownAnswer",
    "Options",
    "Plan",
    "Step",
    "Tensor",
    "choose",
    "costs",
    "generate",
    "make_plan",
]
