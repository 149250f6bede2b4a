"""Problems B1, B2 and B3 with creep_fem, CalculiX and MOOSE: ``python -m benchmarks.peers``."""
