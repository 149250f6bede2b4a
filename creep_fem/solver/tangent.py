"""The tangent matrix: one allocation for elements and contact, refilled at every iteration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import creep_fem._backend  # noqa: F401

# isort: split
import dolfinx.fem.petsc as fem_petsc
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.sparse import csr_array

from creep_fem.contact.pairs import NodeBlocks
from creep_fem.contact.potential import Contact
from creep_fem.mechanics.model import MechanicsModel
from creep_fem.mechanics.packed import SplitForm
from creep_fem.solver.phases import Phase, timed
from creep_fem.solver.surface import SurfaceNodes

Storage = Literal["whole", "upper"]
"""The whole matrix, or its upper triangle: half as many entries to find a place for."""


class TangentMatrix:
    """Assembles element and surface terms into a matrix that keeps its pattern.

    As long as the pattern stands, the solver's symbolic factorisation stands too. It has room for
    the pairs that matter now or will after another step like the present one, and for a little
    motion besides; it is made anew as soon as a contact needs an entry that it lacks.

    Attributes:
        served_before: Tangents that the pattern before the present one served, 0 for the first one:
            what may be expected of this one.
    """

    def __init__(
        self,
        model: MechanicsModel,
        contact: Contact,
        surface: SurfaceNodes,
        conditions: Sequence[fem.DirichletBC],
    ) -> None:
        """Remember the parts; the matrix is allocated when it is first assembled."""
        self._model, self._contact, self._surface = model, contact, surface
        self._conditions = conditions
        self._matrix: PETSc.Mat | None = None
        self._storage: Storage = "whole"
        self.served_before = self._served = 0
        self._allocated = np.empty(0, dtype=np.int64)
        self._rows = model.domain.displacement_space.dofmap.index_map
        self._element_blocks: dict[Storage, NDArray[np.int64]] = {}

    def assemble(
        self,
        pairs: NodeBlocks,
        diagonal: NDArray[np.float64],
        motion: NDArray[np.float64],
        storage: Storage,
    ) -> PETSc.Mat:
        """Tangent of the elements at the model's state plus surface terms (collective).

        Args:
            pairs: Terms that couple surface nodes, of any process.
            diagonal: Stiffness of the owned surface nodes by themselves in GPa, shape (owned,).
            motion: What the owned surface nodes have moved in this step in um, shape (owned, 2),
                and are expected to move once more.
            storage: Which entries the matrix holds.
        """
        with timed(Phase.CONSTITUTIVE):
            elements = self._model.tangent()
        with timed(Phase.ASSEMBLY):
            matrix = self._matrix_with_room(pairs.edges, motion, storage)
            self._served += 1
            owned = self._surface.owned[:, None]
            self._add(matrix, owned, owned, diagonal[:, None, None] * np.eye(2))
            self._add(matrix, pairs.nodes, pairs.nodes, pairs.values)
            self._add_elements(matrix, elements)
            matrix.assemble()
        return matrix

    def _matrix_with_room(
        self, needed: NDArray[np.int64], motion: NDArray[np.float64], storage: Storage
    ) -> PETSc.Mat:
        """The matrix, zero, allocated anew if some process needs what it lacks (collective)."""
        lacks = self._storage != storage or not self._has_room(needed)
        lacks = self._surface.comm.allreduce(lacks or self._matrix is None, op=MPI.LOR)
        if self._matrix is not None and not lacks:
            self._matrix.zeroEntries()
            return self._matrix
        if self._matrix is not None:
            self._matrix.destroy()
        self._matrix, self._storage = self._allocate(needed, motion, storage), storage
        self.served_before, self._served = self._served, 0
        return self._matrix

    def _has_room(self, pairs: NDArray[np.int64]) -> bool:
        """Whether the matrix was allocated for these pairs of edges."""
        keys = self._contact.pair_keys(pairs)
        first = np.searchsorted(self._allocated, keys)
        return bool((np.searchsorted(self._allocated, keys, "right") > first).all())

    def _allocate(
        self, needed: NDArray[np.int64], motion: NDArray[np.float64], storage: Storage
    ) -> PETSc.Mat:
        now = self._surface.positions(self._model.displacement)
        later = now + self._surface.replicate(motion)
        expected = [self._contact.coupled_edges(positions) for positions in (now, later)]
        # friction couples the edges that touched at the start of the step, wherever feet are now
        pairs = self._contact.each_once(np.concatenate([*expected, needed]))
        self._allocated = self._contact.pair_keys(pairs)  # sorted, like the pairs
        rows, columns = self._coupled_nodes(pairs)
        matrix = self._empty(rows, columns, storage)
        options = PETSc.Mat.Option
        if storage == "upper":
            matrix.setOption(options.IGNORE_LOWER_TRIANGULAR, True)
        matrix.setOption(options.SYMMETRIC, True)
        matrix.setOption(options.SYMMETRY_ETERNAL, True)
        # the first assembly drops all room that nothing was put into
        self._add(matrix, rows[:, None], columns[:, None], np.zeros((len(rows), 2, 2)))
        return matrix

    def _coupled_nodes(
        self, pairs: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Surface nodes of all blocks that pairs of edges fill, each block once, shape (n,)."""
        nodes = self._contact.coupled_nodes(pairs)
        ones, starts = np.ones(nodes.size, dtype=np.int32), np.arange(len(nodes) + 1)
        shape = len(nodes), len(self._surface.global_nodes)
        members = csr_array((ones, nodes.ravel(), nodes.shape[1] * starts), shape)
        blocks = (members.T @ members).tocoo()
        return blocks.row.astype(np.int64), blocks.col.astype(np.int64)

    def _empty(
        self, coupled: NDArray[np.int64], to: NDArray[np.int64], storage: Storage
    ) -> PETSc.Mat:
        """A matrix with room for the elements and for blocks of surface nodes, shape (n,)."""
        rows = self._rows
        local = np.arange(rows.size_local + rows.num_ghosts, dtype=np.int32)
        matrix = PETSc.Mat().create(self._surface.comm)
        matrix.setSizes(2 * [(2 * rows.size_local, 2 * rows.size_global)], bsize=2)
        matrix.setType("aij" if storage == "whole" else "sbaij")
        _set_numbering(matrix, rows.local_to_global(local))
        if storage not in self._element_blocks:
            self._element_blocks[storage] = self._blocks_of_elements(storage)
        blocks = self._element_blocks[storage] + self._blocks_of_contact(coupled, to, storage)
        # what elements and contact share was counted twice
        columns = [rows.size_local], [rows.size_global - rows.size_local]
        blocks = np.minimum(blocks, columns).astype(PETSc.IntType)
        dofs = blocks if storage == "upper" else np.repeat(2 * blocks, 2, axis=1)
        matrix.setPreallocationNNZ((dofs[0], dofs[1]))
        _set_numbering(matrix.getDiagonalBlock(), local[: rows.size_local])
        return matrix

    def _blocks_of_elements(self, storage: Storage) -> NDArray[np.int64]:
        """Numbers of blocks in the owned rows, of owned and other columns, shape (2, rows)."""
        pattern = fem.create_sparsity_pattern(self._model.coupling)
        pattern.finalize()
        columns, offsets = pattern.graph
        count = self._rows.size_local
        rows = np.repeat(np.arange(count), np.diff(offsets[: count + 1]))
        columns = columns[: len(rows)]
        owned = columns < count
        inside = owned & ((columns >= rows) | (storage == "whole"))
        return np.stack([np.bincount(rows[part], minlength=count) for part in (inside, ~owned)])

    def _blocks_of_contact(
        self, coupled: NDArray[np.int64], to: NDArray[np.int64], storage: Storage
    ) -> NDArray[np.int64]:
        """The same for surface nodes that any process couples (collective)."""
        surface, size = self._surface, len(self._surface.global_nodes)
        rows, columns = surface.global_nodes[coupled], surface.global_nodes[to]
        owned = surface.owners[coupled] == surface.owners[to]
        inside = owned & ((columns >= rows) | (storage == "whole"))
        counts = [np.bincount(coupled[part], minlength=size) for part in (inside, ~owned)]
        total = surface.sum(np.stack(counts, axis=1).astype(np.float64))
        blocks = np.zeros((2, self._rows.size_local), dtype=np.int64)
        blocks[:, surface.owned_local] = total[surface.owned].T
        return blocks

    def _add_elements(self, matrix: PETSc.Mat, elements: SplitForm) -> None:
        """Add the elements and set the diagonal of fixed dofs, where nothing else is added."""
        # Where no other process is concerned, places are found faster in the block of this one. On
        # one process that is the matrix itself.
        for block, part in (matrix.getDiagonalBlock(), elements.inner), (matrix, elements.border):
            fem_petsc.assemble_matrix(
                block, part.form, bcs=self._conditions, coeffs=part.coefficients
            )

    def _add(
        self,
        matrix: PETSc.Mat,
        rows: NDArray[np.int64],
        columns: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> None:
        """Add blocks, leaving out fixed dofs; rows of other processes are sent to them."""
        surface, count, size = self._surface, len(rows), 2 * rows.shape[1]
        free = [~surface.fixed[nodes].reshape(count, size) for nodes in (rows, columns)]
        values = (values * (free[0][:, :, None] & free[1][:, None, :])).reshape(count, size**2)
        places = surface.global_nodes[rows], surface.global_nodes[columns]
        matrix.setValuesBlockedRCV(*places, values, addv=PETSc.InsertMode.ADD_VALUES)


def _set_numbering(matrix: PETSc.Mat, nodes: NDArray[np.integer[Any]]) -> None:
    """Tell a matrix which block rows and columns the local nodes have there."""
    numbers = PETSc.LGMap().create(nodes.astype(PETSc.IntType), 2, matrix.comm)
    matrix.setLGMap(numbers, numbers)
