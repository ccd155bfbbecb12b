"""DynamicSleepNet: three signals, one after the other, and an exit after each."""
