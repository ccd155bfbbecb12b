"""Recordings, labelled windows, splits and synthetic signals. Nothing here imports torch."""
