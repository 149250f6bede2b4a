"""Compiled forms whose coefficients are written where their kernels read them.

Whenever DOLFINx assembles a form, it first gathers the coefficients cell by cell. What compiled
loops find for every cell anyway they write to that table themselves, which is not gathered again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

# Sums may be rearranged, which makes kernels faster. These are the parts of -ffast-math that keep
# infinities and do not change how the rest of the process rounds.
JIT_OPTIONS = {
    "cffi_extra_compile_args": [
        *("-O3", "-fno-math-errno", "-fno-trapping-math"),
        *("-fno-signed-zeros", "-fassociative-math", "-freciprocal-math"),
    ]
}
_HERE = 1  # number of the subdomain that forms are compiled for
_INTEGRAL = fem.IntegralType.cell, 0  # key of the coefficients: the only integral over cells


class CellForm(NamedTuple):
    """A form over some cells, to be assembled with these coefficients.

    Attributes:
        form: The form.
        coefficients: What DOLFINx's assemblers take as ``coeffs``.
    """

    form: fem.Form
    coefficients: Mapping[tuple[fem.IntegralType, int], NDArray[np.float64]]


class SplitForm(NamedTuple):
    """A form over the owned cells, and over parts of them.

    Attributes:
        whole: Over all of them.
        inner: Over those with owned nodes only, whose terms no other process needs.
        border: Over the others.
    """

    whole: CellForm
    inner: CellForm
    border: CellForm


class PackedForm:
    """A form and the table of its coefficients, a row for each cell.

    Values count as they stand in the table. The functions themselves only tell where.
    """

    def __init__(self, form: ufl.Form, cells: NDArray[np.int32]) -> None:
        """Compile the form (collective).

        Args:
            form: Sum of integrals over all cells.
            cells: Cell of every row.
        """
        integrals = [i.reconstruct(subdomain_id=_HERE) for i in form.integrals()]
        self._spaces = [argument.ufl_function_space() for argument in form.arguments()]
        self._mesh, self._cells = self._spaces[0].mesh, cells
        self._functions = {function: function for function in form.coefficients()}
        self._compiled = fem.compile_form(
            self._mesh.comm, ufl.Form(integrals), jit_options=JIT_OPTIONS
        )
        ufcx = self._compiled.ufcx_form
        places = [ufcx.original_coefficient_positions[i] for i in range(ufcx.num_coefficients)]
        functions = [form.coefficients()[place] for place in places]
        ends = np.cumsum([f.function_space.element.space_dimension for f in functions])
        columns = map(slice, [0, *ends[:-1]], ends)
        self._columns = dict(zip(functions, columns, strict=True))
        self._table = np.full((len(cells), ends[-1]), np.nan)  # until they are written

    def values(self, function: fem.Function, *shape: int) -> NDArray[np.float64]:
        """Where the values of a function stand.

        Args:
            function: A coefficient of the form.
            shape: Shape of its values in a cell; side by side if none is given.

        Returns:
            A view, for each cell an array of this shape.
        """
        values = self._table[:, self._columns[function]]
        return values.reshape(len(values), *shape, copy=False) if shape else values

    def over(self, rows: slice) -> CellForm:
        """The form over some of the cells, by their rows; this process has to own them."""
        domain = {fem.IntegralType.cell: [(_HERE, self._cells[rows])]}
        form = fem.create_form(
            self._compiled, self._spaces, self._mesh, domain, self._functions, {}
        )
        return CellForm(form, {_INTEGRAL: self._table[rows]})
