"""The trained, binarised sleep network -> integer graph, one stage a signal. Needs torch."""

from bnn.lower.sleep.net import lower_sleep

__all__ = ["lower_sleep"]
