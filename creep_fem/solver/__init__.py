"""Solves the time steps: incremental potential, Newton's method, adaptive steps."""
