"""Nights of sleep as 30-second epochs of several signals: recorded sets, splits by subject, synthetic nights."""
