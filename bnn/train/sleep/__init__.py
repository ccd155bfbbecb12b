"""Training and running DynamicSleepNet."""
