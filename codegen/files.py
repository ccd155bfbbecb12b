"""Which files of the runtime a plan needs."""

LANES = ("bnn_bits.c", "bnn_lanes.c")
ROWS = ("bnn_rows.c",)
COUNT = ("bnn_lanes_count.c", "bnn_lanes_vectors.c")

INTEGERS = {
    "sign_convolve": ("bnn_sign_conv", *ROWS, "bnn_sign_conv.c"),
    "int_convolve": ("bnn_int_conv", *ROWS, "bnn_int_conv.c"),
    "scale_map": ("bnn_scale", *ROWS, "bnn_pointwise.c"),
    "look_up": ("bnn_table", *ROWS, "bnn_pointwise.c"),
    "multiply_maps": ("bnn_multiply", *ROWS, "bnn_pointwise.c"),
    "add_maps": ("bnn_add", *ROWS, "bnn_pointwise.c"),
    "global_max": ("bnn_global", *ROWS, "bnn_global.c"),
    "global_sum": ("bnn_global", *ROWS, "bnn_global.c"),
    "concat_int8": ("bnn_concat", "bnn_bits.c", "bnn_concat.c"),
    "concat_bits": ("bnn_concat", "bnn_bits.c", "bnn_concat.c"),
    "attend": ("bnn_attention", "bnn_attention.c"),
    "norm_rows": ("bnn_layer_norm", *ROWS, "bnn_layer_norm.c"),
    "max_pool8": ("bnn_pool", "bnn_bits.c", "bnn_int8.c"),
    "threshold8": ("bnn_threshold", "bnn_bits.c", "bnn_int8.c"),
}
"""The same as KERNELS, of those in bnn_integers.h."""

KERNELS = {
    "window_stats": (None, "bnn_stats.c"),
    "signal_conv_threshold": ("bnn_signal_conv", "bnn_bits.c", "bnn_bounds.c", "bnn_signal_conv.c"),
    "signal_conv_sum": ("bnn_signal_conv", "bnn_bits.c", "bnn_bounds.c", "bnn_signal_conv.c"),
    "conv_threshold": ("bnn_conv", "bnn_bits.c", "bnn_conv.c"),
    "conv_sum": ("bnn_conv", "bnn_bits.c", "bnn_conv.c"),
    "threshold16": ("bnn_threshold", "bnn_bits.c", "bnn_bounds.c", "bnn_threshold.c"),
    "threshold32": ("bnn_threshold", "bnn_bits.c", "bnn_bounds.c", "bnn_threshold.c"),
    "or_pool": ("bnn_pool", "bnn_bits.c", "bnn_or_pool.c"),
    "max_pool16": ("bnn_pool", "bnn_bits.c", "bnn_max_pool.c"),
    "max_pool32": ("bnn_pool", "bnn_bits.c", "bnn_max_pool.c"),
    "and_not": ("bnn_pair", "bnn_bits.c", "bnn_and_not.c"),
    "lanes_signal_threshold": (
        "bnn_lanes_signal",
        *LANES,
        "bnn_bounds.c",
        "bnn_lanes_signal.c",
        "bnn_lanes_signal_vectors.c",
    ),
    "lanes_conv_threshold": ("bnn_lanes_conv", *LANES, *COUNT, "bnn_lanes_conv.c"),
    "lanes_conv_pool": ("bnn_lanes_conv", *LANES, *COUNT, "bnn_lanes_conv.c"),
    "lanes_conv_sum": ("bnn_lanes_conv", *LANES, *COUNT, "bnn_lanes_conv.c"),
    "lanes_or_pool": ("bnn_lanes_pool", *LANES, "bnn_lanes_pool.c"),
    "lanes_and_not": ("bnn_lanes_pair", *LANES, "bnn_lanes_pool.c"),
    "lanes_pack": ("bnn_lanes_copy", *LANES, "bnn_lanes_copy.c"),
    "lanes_unpack": ("bnn_lanes_copy", *LANES, "bnn_lanes_copy.c"),
    "prelu_sum16": ("bnn_prelu_sum", "bnn_prelu_sum.c"),
    "exit_entropy": ("bnn_exit_gate", "bnn_gate.c"),
    "prelu_sum32": ("bnn_prelu_sum", "bnn_prelu_sum.c"),
    "alias": (None,),
    **INTEGERS,
}
"""Of each kernel: the struct that describes a layer to it, and the runtime's files that it needs."""

TAPS = {"listed": "bnn_lanes_listed.c", "unrolled": "bnn_lanes_unrolled.c"}
"""Of sources of taps that are not decoded: the runtime's file."""


def sources(plan) -> list[str]:
    """Files of the runtime that the plan or draft needs, sorted."""
    return sorted({"bnn_argmax.c"}.union(*(files_of(step) for step in plan.steps)))


def on_integers(step) -> bool:
    """Whether its kernel stands in bnn_integers.h."""
    return step.kernel in INTEGERS


def files_of(step) -> set[str]:
    """Files of the runtime that a step needs."""
    found = set(KERNELS[step.kernel][1:])
    if "bnn_lanes_conv.c" in found:
        found.add(TAPS.get(step.taps, "bnn_lanes_taps.c"))
    return found
