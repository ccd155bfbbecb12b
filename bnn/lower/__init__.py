"""Trained module -> integer graph: one pass per file. `passes` needs no torch, `ecg` does."""
