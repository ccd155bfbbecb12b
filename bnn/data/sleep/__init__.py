"""Nights of sleep as labelled 30-second epochs of several signals: recorded sets, splits by subject, synthetic nights."""
