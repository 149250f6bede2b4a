"""Problems B1, B2 and B3 with creep_fem and with CalculiX: ``python -m benchmarks.peers``."""
