"""A preconditioner made for packings: every body by itself, and all bodies moving together.

Bodies share no nodes and are coupled by contact alone. So the matrix without the blocks between
bodies is a good approximation where bodies are stressed, and a bad one for what contact alone
resists: motions and uniform strains of whole bodies. Two levels treat one each:

- M: a Cholesky factorisation of every body's block, small and without communication. A body that
  lies on several processes is gathered on the one with most of its nodes, so that neither the
  preconditioner nor the number of iterations depends on the partition.
- Q = W E^-1 W^T with E = W^T A W: a direct solution for the six affine motions of every body (the
  columns of W) about its present centre. Three of them are rigid; with the
  uniform strains bodies yield to their neighbours, which saves iterations.

Both are combined by deflation as "A-DEF2" of Tang, Nabben, Vuik and Erlangga (J. Sci. Comput. 39
(2009) 340): z = M r + Q (r - A M r), started from x = Q b, is conjugate gradients preconditioned by
the symmetric (1 - A Q)^T M (1 - A Q). A W is kept, so A is not multiplied with twice.
"""

from __future__ import annotations

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from creep_fem.solver.problem import StepProblem

BLOCKS = "bodies_"
"""Prefix of the options for the solution body by body."""
COARSE = "coarse_"
"""Prefix of the options for the solution with the motions of bodies."""

_MODES = 6


class Bodies:
    """Which process solves for which body, and the affine motions of all bodies.

    Attributes:
        nodes: Global displacement nodes of every body that this process solves for.
        motions: Number of affine motions, those of all bodies together.
    """

    def __init__(self, problem: StepProblem) -> None:
        """Distribute the bodies (collective)."""
        self._problem, self._comm = problem, problem.comm
        domain, space = problem.model.domain, problem.space
        body = np.zeros(len(domain.node_point), dtype=np.int64)
        body[space.dofmap.list] = domain.cell_body[:, None]
        self._body = body[: domain.owned_nodes]
        self._place = space.tabulate_dof_coordinates()[: domain.owned_nodes, :2].copy()
        self._free = np.ones(2 * domain.owned_nodes)
        self._free[problem.fixed_dofs[problem.fixed_dofs < 2 * domain.owned_nodes]] = 0.0
        last = int(np.max(domain.cell_body, initial=-1))
        self._total = 1 + self._comm.allreduce(last, op=MPI.MAX)
        self.motions = _MODES * self._total
        owner = self._owners()
        order = np.argsort(owner, kind="stable")
        self._column = np.empty(self._total, dtype=np.int64)
        self._column[order] = np.arange(self._total)
        self._own = int(np.count_nonzero(owner == self._comm.rank))
        self._first_node = space.dofmap.index_map.local_range[0]
        self.nodes = self._gather(owner)

    def _owners(self) -> NDArray[np.int64]:
        """Process with most nodes of every body, the first one of several, shape (bodies,)."""
        size = self._comm.size
        ranking = np.bincount(self._body, minlength=self._total) * size
        ranking += size - 1 - self._comm.rank
        self._comm.Allreduce(MPI.IN_PLACE, ranking, op=MPI.MAX)
        owner: NDArray[np.int64] = size - 1 - ranking % size
        return owner

    def _gather(self, owner: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        """Global nodes of the bodies of this process, ascending, one array for each."""
        order = np.argsort(owner[self._body], kind="stable")
        pairs = np.column_stack([self._body, self._first_node + np.arange(len(self._body))])[order]
        ends = np.searchsorted(owner[self._body][order], np.arange(1, self._comm.size))
        received = np.vstack(self._comm.alltoall(np.split(pairs, ends)))
        received = received[np.lexsort((received[:, 1], received[:, 0]))]
        starts = np.flatnonzero(np.diff(received[:, 0])) + 1
        nodes = np.split(received[:, 1].astype(PETSc.IntType), starts)
        return nodes if len(received) else []

    def new_motions(self) -> PETSc.Mat:
        """Matrix with a column for each affine motion of each body, yet without values."""
        sizes = (len(self._free), None), (_MODES * self._own, self.motions)
        motions = PETSc.Mat().createAIJ(sizes, nnz=_MODES, comm=self._comm)
        self._starts = np.arange(0, _MODES * len(self._free) + 1, _MODES, dtype=PETSc.IntType)
        columns = _MODES * self._column[np.repeat(self._body, 2)][:, None] + np.arange(_MODES)
        self._columns = columns.ravel().astype(PETSc.IntType)
        return motions

    def fill_motions(self, motions: PETSc.Mat) -> None:
        """Compute the motions about the present centres of the bodies (collective).

        Fixed dofs do not move; lengths are relative to the radius of gyration of the body.
        """
        displacement = self._problem.model.displacement.x.array
        place = self._place + displacement[: len(self._free)].reshape(-1, 2)
        columns = np.ones(len(place)), place[:, 0], place[:, 1], np.sum(place**2, axis=1)
        sums = np.stack([np.bincount(self._body, c, self._total) for c in columns]).astype(float)
        self._comm.Allreduce(MPI.IN_PLACE, sums, op=MPI.SUM)
        centre = (sums[1:3] / sums[0]).T
        radius = np.sqrt(sums[3] / sums[0] - np.sum(centre**2, axis=1))
        x, y = ((place - centre[self._body]) / radius[self._body][:, None]).T
        one, zero = np.ones_like(x), np.zeros_like(x)
        values = np.array(
            [[one, zero, -y, x, zero, y], [zero, one, x, zero, y, x]]  # rigid, then strains
        )
        values = values.transpose(2, 0, 1).reshape(-1, _MODES) * self._free[:, None]
        motions.setValuesCSR(self._starts, self._columns, values.ravel())
        motions.assemble()


class BodyPreconditioner:
    """Context of a PETSc preconditioner of type python for the tangent of a packing.

    Attributes:
        blocks: M, the solution body by body.
        motions: W, a column for each affine motion of each body.
        image: A W.
        coarse: Solver with E = W^T A W.
    """

    blocks: PETSc.PC
    motions: PETSc.Mat
    image: PETSc.Mat
    coarse: PETSc.KSP

    def __init__(self, bodies: Bodies, prefix: str) -> None:
        """Remember what to work with.

        Args:
            bodies: The bodies whose tangent is the matrix.
            prefix: Prefix of the solver's options.
        """
        self._bodies, self._prefix = bodies, prefix
        self._matrix: PETSc.Mat | None = None

    def setUp(self, pc: PETSc.PC) -> None:
        """Factorise for the present values of the matrix (collective)."""
        matrix = pc.getOperators()[1]
        if self._matrix is None or matrix.handle != self._matrix.handle:
            self.destroy(pc)
            self._create(matrix)
        else:
            self._bodies.fill_motions(self.motions)
            matrix.matMult(self.motions, self.image)
            self.motions.transposeMatMult(self.image, self.coarse.getOperators()[0])
        self.blocks.setUp()
        self.blocks.setUpOnBlocks()
        self.coarse.setUp()

    def _create(self, matrix: PETSc.Mat) -> None:
        """Allocate all that depends on the pattern of the matrix."""
        bodies, comm = self._bodies, matrix.comm
        self._matrix = matrix
        indices = [PETSc.IS().createBlock(2, n, comm=PETSc.COMM_SELF) for n in bodies.nodes]
        indices = indices or [PETSc.IS().createGeneral([], comm=PETSc.COMM_SELF)]
        self.blocks = PETSc.PC().create(comm)
        self.blocks.setOptionsPrefix(self._prefix + BLOCKS)
        self.blocks.setOperators(matrix)
        self.blocks.setType("asm")
        self.blocks.setASMType(PETSc.PC.ASMType.BASIC)
        self.blocks.setASMLocalSubdomains(len(indices), indices)
        self.blocks.setFromOptions()
        self.motions = bodies.new_motions()
        bodies.fill_motions(self.motions)
        self.image = matrix.matMult(self.motions)
        coarse = self.motions.transposeMatMult(self.image)
        coarse.setOption(PETSc.Mat.Option.SYMMETRIC, True)
        coarse.setOption(PETSc.Mat.Option.SYMMETRY_ETERNAL, True)
        self.coarse = PETSc.KSP().create(comm)
        self.coarse.setOptionsPrefix(self._prefix + COARSE)
        self.coarse.setOperators(coarse)
        self.coarse.setFromOptions()
        self._load, self._motion = coarse.createVecRight(), coarse.createVecRight()

    def preSolve(  # noqa: N802
        self, _pc: PETSc.PC, solver: PETSc.KSP, right: PETSc.Vec, x: PETSc.Vec
    ) -> None:
        """Start from Q b: all later residuals are then free of the motions of bodies."""
        self.motions.multTranspose(right, self._load)
        self.coarse.solve(self._load, self._motion)
        self.motions.mult(self._motion, x)
        solver.setInitialGuessNonzero(True)

    def apply(self, _pc: PETSc.PC, residual: PETSc.Vec, z: PETSc.Vec) -> None:
        """Compute z = M r + Q (r - A M r) (collective)."""
        self.blocks.apply(residual, z)
        self.motions.multTranspose(residual, self._load)
        self.image.multTranspose(z, self._motion)
        self._load.axpy(-1.0, self._motion)
        self.coarse.solve(self._load, self._motion)
        self.motions.multAdd(self._motion, z, z)

    def destroy(self, _pc: PETSc.PC) -> None:
        """Free the PETSc objects (collective)."""
        if self._matrix is None:
            return
        for used in (
            *(self.blocks, self.coarse.getOperators()[0], self.coarse),
            *(self.motions, self.image, self._load, self._motion),
        ):
            used.destroy()
        self._matrix = None
