"""Training and running MC2SleepNet."""
