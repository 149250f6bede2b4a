"""Makes dolfinx importable; ``import creep_fem._backend`` stands before any import of dolfinx.

The wheel ``dolfinx-solver-real`` carries its own MPI and PETSc, which its module ``dolfinx_solver``
has to load before dolfinx, petsc4py or mpi4py look for them. Other installations of dolfinx
(conda-forge, Spack, Debian) have no such module and need nothing.

The wheel's PETSc has another HDF5 than the wheel of h5py. Where ``dolfinx.fem.petsc`` finds Numba,
it makes PETSc's libraries visible to all that are loaded later, so h5py has to be loaded before.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

if find_spec("dolfinx_solver") is not None:
    import_module("dolfinx_solver")
    import_module("h5py")
