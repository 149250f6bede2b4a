"""Measurements of the package: against other codes and against what the machine allows."""
