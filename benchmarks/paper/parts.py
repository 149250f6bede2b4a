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
    swelling_table,
)
from creep_fem.config import RunConfig
from creep_fem.cycling import growth_stretches
from creep_fem.results.comparison import compare
from creep_fem.results.first_swelling import tabulate
from creep_fem.results.history import read_history
from creep_fem.results.run_folder import RunFolder
from creep_fem.results.targets import NO_TARGETS, Targets, read_targets

SE, LCO, FES = (f"study_packings_{name}_mse" for name in ("se", "lco", "fes"))
LCO_GROWTH = "study_lco_growth"
CREEP = "study_creep"

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
_CONTACT_ALONE: Final = (
    "mises_mean_active_gpa",
    "mises_max_active_gpa",
    "mises_mean_framework_gpa",
    "contact_ratio_active_active",
    "contact_ratio_active_framework",
    "wall_pressure_gpa",
)
_ON_THE_WAY: Final = (
    "mises_mean_active_gpa",
    "mises_max_active_gpa",
    "mises_mean_framework_gpa",
    "creep_strain_mean_active",
    "creep_strain_max",
    "contact_fraction_active",
    "wall_pressure_x_gpa",
    "porosity",
)
_SOCS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)
_INTERFACES: Final = {
    "study_interface_rigid_rigid": "I, LCO in LLZO",
    "study_interface_rigid_soft": "II, LCO in LPSC",
    "study_interface_soft_rigid": "III, Se in MSe",
}
# The comma makes adhesion a variant; more cases would hide one another.
_DRAWN: Final = {"without": "", "adhesion 50 MPa": ", adhesion 50 MPa"}


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
    sentence = _alone(rows[0].case.config)
    figures = {
        "von_mises_lithiated": "One of the packings at the first full swelling (Fig. S12).",
        "maps_over_cycles": "The same over the cycles (Fig. S15).",
    }
    return "\n\n".join(
        [
            spread_table(study.observables, rows),
            sentence,
            page.drawn(folders[0], figures),
            _growth_modes(page),
        ]
    )


def _growth_modes(page: Page) -> str:
    """The same swelling in the plane with and without the stress of suppressed growth."""
    chosen = {
        f"growth {mode}": [
            row.outcome.folder
            for row in page.rows(LCO_GROWTH)
            if row.done and row.outcome is not None and row.outcome.folder is not None
            if row.case.config.materials.active.growth_mode == mode
        ]
        for mode in ("isotropic", "in_plane")
    }
    groups = page.groups(chosen)
    if not groups:
        return ""
    table = comparison_table(compare(groups, NO_TARGETS), _CONTACT_ALONE)
    return f"Growth in the plane alone leaves the stress of the contacts:\n\n{table}"


def stress_alone(config: RunConfig) -> float:
    """Von Mises stress in GPa of a swollen, elastic active particle that touches nothing.

    Growth out of the plane by the stretch b is suppressed, and nothing holds the plane: uniaxial
    stress. The Hencky strain is -ln b, the Kirchhoff stress E ln b in compression and det Fe =
    b^-(1 - 2 nu), so the Cauchy stress, which all outputs show, is E ln b b^(1 - 2 nu)
    (docs/theory.md). With b = J^(1/3) it is E ln(J)/3 J^((1 - 2 nu)/3).

    Args:
        config: Config of a run whose active material is the same at all states of charge.
    """
    active, stretch = config.materials.active, _suppressed_stretch(config)
    exponent = 1.0 - 2.0 * active.poisson_ratio
    return float(active.young_modulus * math.log(stretch) * stretch**exponent)


def _suppressed_stretch(config: RunConfig) -> float:
    """Stretch out of the plane of the free growth to the first swollen end."""
    active = config.materials.active
    swelling = config.cycling.half_cycles(active.volume_change)[0]
    socs = (swelling.end_soc, swelling.start_soc)
    return growth_stretches(active.volume_change, *socs, active.growth_mode)[1]


def _alone(config: RunConfig) -> str:
    active, ratio = config.materials.active, _suppressed_stretch(config) ** 3
    return (
        "Without any contact, the growth out of the plane that plane strain suppresses gives a von "
        "Mises stress (Cauchy, as in all outputs) of E ln(J)/3 J^((1 - 2 nu)/3) = "
        f"{stress_alone(config):.2f} GPa, with E = {active.young_modulus:g} GPa, "
        f"nu = {active.poisson_ratio:g} and J = {ratio:.4g}."
    )


def _pores(page: Page) -> str:
    groups = page.groups({"se_mse": page.finished(SE).values()})
    figures = {
        "pores_first_cycle": "Area of every pore after the first lithiation and delithiation, "
        "relative to its initial one (Fig. 3d); on top, one packing over the cycle."
    }
    return page.compared(groups, figures, published(), table="pores")


def _control(page: Page) -> str:
    chosen = {"se_mse": page.finished(SE).values(), "fes_mse": page.finished(FES).values()}
    figures = {
        "over_first_lithiation": "Selenium and FeS over the first lithiation, in the same packings."
    }
    groups = page.groups(chosen)
    table = equal_lithiation_table(tabulate(groups)) if groups else ""
    texts = [page.compared(groups, figures), table, _fes(page)]
    return "\n\n".join(text for text in texts if text)


def _fes(page: Page) -> str:
    """What means over particles do not show."""
    study = page.plans[FES].study
    if study is None or not page.finished(FES):
        return ""
    largest = {k: o for k, o in study.observables.items() if o.column == "mises_max_active_gpa"}
    return f"FeS where it is swollen most:\n\n{spread_table(largest, page.rows(FES))}"


def _creep(page: Page) -> str:
    """The first lithiation of every case, however far it came."""
    texts = []
    for row in page.rows(CREEP):
        history = row.outcome.history() if row.outcome is not None else None
        if history is None or not history["soc"].size:
            continue
        last = float(history["soc"].max())
        table = swelling_table(history, _ON_THE_WAY, [s for s in _SOCS if s < last] + [last])
        texts.append(f"Selenium {row.case.variation.name}, to soc {last:.2f}:\n\n{table}")
    return "\n\n".join(texts)


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
    groups = page.groups(
        {
            f"{label}{ending}": [page.finished(name)[case]]
            for name, label in _INTERFACES.items()
            for case, ending in _DRAWN.items()
            if case in page.finished(name)
        }
    )
    figures = {
        "contact_kept_over_cycles": "Contact kept at the shrunk end of every cycle (Fig. 1).",
        "contact_over_cycles": "Contact at the swollen end.",
    }
    texts = [page.compared(groups, figures)]
    for name, label in _INTERFACES.items():
        if (study := page.plans[name].study) is not None:
            table = study_table(study.observables, page.rows(name), True)
            texts.append(f"{label}:\n\n{table}")
    return "\n\n".join(text for text in texts if text)


PARTS: Final = (
    Part("rve", ("se_mse",), _rve),
    Part("creep", (CREEP,), _creep),
    Part("cycles", (SE, LCO), _cycles),
    Part("lco", (LCO, LCO_GROWTH), _lco),
    Part("pores", (SE,), _pores),
    Part("control", (SE, FES), _control),
    Part("sensitivity", ("study_sensitivity",), _sensitivity),
    Part("design", ("study_design",), _design),
    Part("contact_law", ("study_contact_law",), _contact_law),
    Part("interfaces", tuple(_INTERFACES), _interfaces),
)
"""All parts that are made of runs; the calibration is a part of its own."""
