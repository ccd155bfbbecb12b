"""From an integer graph to source code: a plan that no language knows of, and one emitter a language."""

from codegen.choose import DEFAULT, KERNELS, Choice, Options, choose
from codegen.cost import Cost, costs
from codegen.generate import KnownAnswer, generate, plan
from codegen.layout import Tensor
from codegen.plan import Plan, make_plan
from codegen.steps import Step
from codegen.stream import StreamPlan, stream_plan

__all__ = [
    "DEFAULT",
    "KERNELS",
    "Choice",
    "Cost",
    "KnownAnswer",
    "Options",
    "Plan",
    "Step",
    "StreamPlan",
    "Tensor",
    "choose",
    "costs",
    "generate",
    "make_plan",
    "plan",
    "stream_plan",
]
