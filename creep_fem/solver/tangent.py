"""The tangent matrix: one allocation for elements and contact, refilled at every iteration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

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
from creep_fem.solver.phases import Phase, timed
from creep_fem.solver.surface import SurfaceNodes

Storage = Literal["whole", "upper"]
"""The whole matrix, or its upper triangle: half as many entries to find a place for."""

_SLIDES = 2  # edges that a foot may slide on before the matrix has no room for it


class TangentMatrix:
    """Assembles element and surface terms into a matrix that keeps its pattern.

    As long as the pattern stands, the solver's symbolic factorisation stands too. It has room for
    all contact candidates, near or not, and for feet that slide over neighbouring edges; it is made
    anew as soon as a contact needs an entry that it lacks.
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
        self._allocated = np.empty(0, dtype=np.int64)
        self._rows = model.domain.displacement_space.dofmap.index_map
        self._element_blocks: dict[Storage, NDArray[np.int64]] = {}

    def assemble(
        self, pairs: NodeBlocks, diagonal: NDArray[np.float64], storage: Storage
    ) -> PETSc.Mat:
        """Tangent of the elements at the model's state plus surface terms (collective).

        Args:
            pairs: Terms that couple surface nodes, of any process.
            diagonal: Stiffness of the owned surface nodes by themselves in GPa, shape (owned,).
            storage: Which entries the matrix holds.
        """
        with timed(Phase.CONSTITUTIVE):
            elements = self._model.tangent()
        with timed(Phase.ASSEMBLY):
            matrix = self._matrix_with_room(pairs, storage)
            matrix.zeroEntries()
            alone = self._surface.owned[:, None], diagonal[:, None, None] * np.eye(2)
            self._fill(matrix, elements, (pairs.nodes, pairs.values), alone)
        return matrix

    def _matrix_with_room(self, pairs: NodeBlocks, storage: Storage) -> PETSc.Mat:
        """The matrix, allocated anew if some process needs entries that it lacks (collective)."""
        lacks = self._storage != storage or not self._has_room(pairs.edges)
        lacks = self._surface.comm.allreduce(lacks or self._matrix is None, op=MPI.LOR)
        if self._matrix is not None and not lacks:
            return self._matrix
        if self._matrix is not None:
            self._matrix.destroy()
        self._matrix, self._storage = self._allocate(pairs.edges, storage), storage
        return self._matrix

    def _has_room(self, pairs: NDArray[np.int64]) -> bool:
        """Whether the matrix was allocated for these pairs of edges."""
        keys = self._keys(pairs)
        first = np.searchsorted(self._allocated, keys)
        return bool((np.searchsorted(self._allocated, keys, "right") > first).all())

    def _keys(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """One number for each pair of edges."""
        keys: NDArray[np.int64] = pairs[:, 0] * self._contact.edge_count + pairs[:, 1]
        return keys

    def _allocate(self, needed: NDArray[np.int64], storage: Storage) -> PETSc.Mat:
        pairs = self._contact.coupled_edges()
        for _ in range(_SLIDES):
            pairs = self._contact.with_neighbours(pairs)
        # friction couples the edges that touched at the start of the step, wherever feet are now
        pairs = np.unique(np.concatenate([pairs, needed]), axis=0)
        self._allocated = self._keys(pairs)  # sorted, like the pairs
        nodes = self._contact.coupled_nodes(pairs)
        matrix = self._empty(nodes, storage)
        options = PETSc.Mat.Option
        if storage == "upper":
            matrix.setOption(options.IGNORE_LOWER_TRIANGULAR, True)
        # the first assembly drops all room that nothing was put into
        self._fill(matrix, self._model.coupling, (nodes, np.ones((len(nodes), 16, 16))))
        matrix.setOption(options.NEW_NONZERO_ALLOCATION_ERR, False)
        matrix.setOption(options.SYMMETRIC, True)
        matrix.setOption(options.SYMMETRY_ETERNAL, True)
        return matrix

    def _empty(self, nodes: NDArray[np.int64], storage: Storage) -> PETSc.Mat:
        """A matrix with room for the elements and for coupled surface nodes, shape (n, 8)."""
        rows = self._rows
        numbers = rows.local_to_global(np.arange(rows.size_local + rows.num_ghosts, dtype=np.int32))
        lgmap = PETSc.LGMap().create(numbers.astype(PETSc.IntType), 2, self._surface.comm)
        matrix = PETSc.Mat().create(self._surface.comm)
        matrix.setSizes(2 * [(2 * rows.size_local, 2 * rows.size_global)], bsize=2)
        matrix.setType("aij" if storage == "whole" else "sbaij")
        matrix.setLGMap(lgmap, lgmap)
        lgmap.destroy()
        if storage not in self._element_blocks:
            self._element_blocks[storage] = self._blocks_of_elements(storage)
        blocks = self._element_blocks[storage] + self._blocks_of_contact(nodes, storage)
        # what elements and contact share was counted twice
        columns = [rows.size_local], [rows.size_global - rows.size_local]
        blocks = np.minimum(blocks, columns).astype(PETSc.IntType)
        dofs = blocks if storage == "upper" else np.repeat(2 * blocks, 2, axis=1)
        matrix.setPreallocationNNZ((dofs[0], dofs[1]))
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

    def _blocks_of_contact(self, nodes: NDArray[np.int64], storage: Storage) -> NDArray[np.int64]:
        """The same for surface nodes that any process couples (collective)."""
        surface = self._surface
        size, starts = len(surface.global_nodes), nodes.shape[1] * np.arange(len(nodes) + 1)
        ones = np.ones(nodes.size, dtype=np.int32)
        members = csr_array((ones, nodes.ravel(), starts), (len(nodes), size))
        pairs = (members.T @ members).tocoo()
        rows, columns = surface.global_nodes[pairs.row], surface.global_nodes[pairs.col]
        owned = surface.owners[pairs.row] == surface.owners[pairs.col]
        inside = owned & ((columns >= rows) | (storage == "whole"))
        counts = [np.bincount(pairs.row[part], minlength=size) for part in (inside, ~owned)]
        total = surface.sum(np.stack(counts, axis=1).astype(np.float64))
        blocks = np.zeros((2, self._rows.size_local), dtype=np.int64)
        blocks[:, surface.owned_local] = total[surface.owned].T
        return blocks

    def _fill(
        self,
        matrix: PETSc.Mat,
        form: fem.Form,
        *surface_terms: tuple[NDArray[np.int64], NDArray[np.float64]],
    ) -> None:
        """Assemble a form and blocks of surface nodes: their nodes (n, k), values (n, 2k, 2k)."""
        fem_petsc.assemble_matrix(matrix, form, bcs=self._conditions)
        # the unit diagonal of fixed dofs was inserted, the surface terms are added
        matrix.assemble(PETSc.Mat.AssemblyType.FLUSH)
        for nodes, values in surface_terms:
            self._add(matrix, nodes, values)
        matrix.assemble()

    def _add(
        self, matrix: PETSc.Mat, nodes: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Add blocks, leaving out fixed dofs; rows of other processes are sent to them."""
        count, width = nodes.shape
        free = ~self._surface.fixed[nodes].reshape(count, 2 * width)
        values = values * (free[:, :, None] & free[:, None, :])
        rows = self._surface.global_nodes[nodes]
        add = PETSc.InsertMode.ADD_VALUES
        matrix.setValuesBlockedRCV(rows, rows, values.reshape(count, (2 * width) ** 2), addv=add)
