"""Contact of particle surfaces: arrays in and out, testable without a mesh library."""
