"""Makes ``python -m creep_fem`` the same as ``creep-fem``."""

from creep_fem.cli import main

if __name__ == "__main__":
    main()
