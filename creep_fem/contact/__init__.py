"""Contact of particle surfaces: pure NumPy, testable without a mesh library."""
