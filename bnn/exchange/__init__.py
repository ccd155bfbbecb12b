"""Graphs in other tools' formats."""
