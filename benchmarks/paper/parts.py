"""The parts of the document: which runs each one needs and what it shows of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.paper.effects import effects_table
from benchmarks.paper.page import Page
from benchmarks.paper.runs import CONFIGS
from benchmarks.paper.tables import (
    comparison_table,
    equal_lithiation_table,
    history_table,
    spread_table,
    study_table,
)
from creep_fem.results.comparison import compare
from creep_fem.results.first_swelling import tabulate
from creep_fem.results.history import read_history
from creep_fem.results.run_folder import RunFolder
from creep_fem.results.targets import NO_TARGETS, Targets, read_targets

SE, LCO, FES = (f"study_packings_{name}_mse" for name in ("se", "lco", "fes"))

_STATE: Final = (
    "mises_mean_active_gpa",
    "mises_max_active_gpa",
    "mises_mean_framework_gpa",
    "mises_max_framework_gpa",
    "pressure_mean_active_gpa",
    "pressure_mean_framework_gpa",
    "creep_strain_mean_active",
    "creep_strain_max",
    "contact_ratio_active_active",
    "contact_ratio_active_framework",
    "contact_fraction_active",
    "wall_pressure_x_gpa",
    "porosity",
)
_CYCLES: Final = (1, 2, 5, 10, 20)
_BESIDE: Final = (
    "contact_fraction_active",
    "contact_fraction_active_shrunk",
    "pressure_mean_active_gpa",
    "pressure_mean_framework_gpa",
    "wall_pressure_gpa",
    "porosity",
)
_KEPT: Final = (
    "contact_fraction_active",
    "contact_fraction_active_shrunk",
    "mises_mean_active_gpa",
    "mises_mean_framework_gpa",
)
_INTERFACES: Final = {
    "interface_rigid_rigid": "I, LCO in LLZO",
    "interface_rigid_soft": "II, LCO in LPSC",
    "interface_soft_rigid": "III, Se in MSe",
}


@dataclass(frozen=True)
class Part:
    """One part of the document.

    Attributes:
        name: Name, as in ``--only`` and in the markers of the document.
        sources: Names of its studies and configs, without their ending.
        write: Makes the text between the markers.
    """

    name: str
    sources: tuple[str, ...]
    write: Callable[[Page], str]


def published() -> Targets:
    """The numbers of the paper."""
    return read_targets(CONFIGS / "targets" / "xiong_2024.yaml")


def _rve(page: Page) -> str:
    figures = {
        "mesh": "The packing and its mesh (Fig. 4a): active particles and framework.",
        "von_mises_lithiated": "Shape and von Mises stress at the first full lithiation (Fig. 4b).",
        "creep_strain": "Accumulated creep strain and its direction there (Fig. 4c).",
        "maps_over_cycles": "Stress and creep strain over the cycles (Fig. 4f).",
    }
    (row,) = page.rows("se_mse")
    if row.outcome is None or row.outcome.folder is None:
        return ""
    folder = row.outcome.folder
    history = read_history(RunFolder(folder).history)
    return "\n\n".join(
        [
            page.drawn(folder, figures),
            history_table(history, row.case.config, _STATE, _CYCLES),
        ]
    )


def _cycles(page: Page) -> str:
    chosen = {"se_mse": page.finished(SE).values(), "lco_mse": page.finished(LCO).values()}
    groups, targets = page.groups(chosen), published()
    if not groups:
        return ""
    compared = compare(groups, targets)
    figures = {
        "contact_over_cycles": "Contact ratios at full lithiation over the cycles (Fig. 4d).",
        "stress_over_cycles": "Mean von Mises stresses at full lithiation (Fig. 4e).",
        "pressure_and_porosity_over_cycles": "What the von Mises stress does not show.",
    }
    return "\n\n".join(
        [
            comparison_table(compared),
            page.compared(groups, figures, targets),
            "Beside them, without a number in the paper:",
            comparison_table(compared, _BESIDE),
        ]
    )


def _lco(page: Page) -> str:
    study, rows = page.plans[LCO].study, page.rows(LCO)
    folders = list(page.finished(LCO).values())
    if study is None or not folders:
        return ""
    active = rows[0].case.config.materials.active
    alone = active.young_modulus * math.log1p(active.volume_change) / 3.0
    sentence = (
        f"Without any contact, suppressed out-of-plane growth alone gives E ln(J)/3 = {alone:.2f} "
        f"GPa, with E = {active.young_modulus:g} GPa and J = {1.0 + active.volume_change:g}."
    )
    figures = {
        "von_mises_lithiated": "One of the packings at the first full swelling (Fig. S12).",
        "maps_over_cycles": "The same over the cycles (Fig. S15).",
    }
    return "\n\n".join(
        [
            spread_table(study.observables, rows),
            sentence,
            page.drawn(folders[0], figures),
        ]
    )


def _pores(page: Page) -> str:
    groups = page.groups({"se_mse": page.finished(SE).values()})
    figures = {
        "pores_first_cycle": "Area of every pore after the first lithiation and delithiation, "
        "relative to its initial one (Fig. 3d)."
    }
    return page.compared(groups, figures, table="pores")


def _control(page: Page) -> str:
    chosen = {"se_mse": page.finished(SE).values(), "fes_mse": page.finished(FES).values()}
    figures = {
        "over_first_lithiation": "Selenium and FeS over the first lithiation, in the same packings."
    }
    groups = page.groups(chosen)
    table = equal_lithiation_table(tabulate(groups)) if groups else ""
    return "\n\n".join([page.compared(groups, figures), table])


def _sensitivity(page: Page) -> str:
    study = page.plans["study_sensitivity"].study
    return study_table(study.observables, page.rows("study_sensitivity"), True) if study else ""


def _design(page: Page) -> str:
    study = page.plans["study_design"].study
    return effects_table(study, page.rows("study_design")) if study else ""


def _contact_law(page: Page) -> str:
    name = "study_contact_law"
    study = page.plans[name].study
    if study is None:
        return ""
    groups = page.groups({case: [folder] for case, folder in page.finished(name).items()})
    figures = {
        "contact_kept_over_cycles": "Contact at the shrunk end of every cycle.",
        "contact_over_cycles": "Contact at the swollen end of every cycle.",
        "pores_first_cycle": "Pores after the first cycle.",
    }
    table = study_table(study.observables, page.rows(name), True)
    return "\n\n".join([table, page.compared(groups, figures, table="pores")])


def _interfaces(page: Page) -> str:
    chosen = {label: page.finished(name).values() for name, label in _INTERFACES.items()}
    groups = page.groups(chosen)
    if not groups:
        return ""
    figures = {
        "contact_kept_over_cycles": "Contact kept at the shrunk end of every cycle (Fig. 1).",
        "contact_over_cycles": "Contact at the swollen end.",
    }
    table = comparison_table(compare(groups, NO_TARGETS), _KEPT)
    return "\n\n".join([page.compared(groups, figures), table])


PARTS: Final = (
    Part("rve", ("se_mse",), _rve),
    Part("cycles", (SE, LCO), _cycles),
    Part("lco", (LCO,), _lco),
    Part("pores", (SE,), _pores),
    Part("control", (SE, FES), _control),
    Part("sensitivity", ("study_sensitivity",), _sensitivity),
    Part("design", ("study_design",), _design),
    Part("contact_law", ("study_contact_law",), _contact_law),
    Part("interfaces", tuple(_INTERFACES), _interfaces),
)
"""All parts that are made of runs; the calibration is a part of its own."""
