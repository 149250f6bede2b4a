"""The command line: parses, calls, and reports errors with the right exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import creep_fem
from creep_fem.errors import (
    ConfigError,
    CreepFemError,
    MeshError,
    NotConverged,
    PackingError,
    Problem,
)

if TYPE_CHECKING:
    from creep_fem.simulation import RunResult

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_NOT_CONVERGED = 1, 2, 3
# What shells report of a program that Ctrl-C has ended.
EXIT_INTERRUPTED = 130

# Launchers tell each process its rank before MPI is loaded. Slurm comes last: a batch script, and
# what mpirun starts in it, inherits the rank of the script itself.
_RANK_VARIABLES = (
    "PMI_RANK",
    "PMIX_RANK",
    "OMPI_COMM_WORLD_RANK",
    "MV2_COMM_WORLD_RANK",
    "SLURM_PROCID",
)

_SIZE_VARIABLES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")

app = typer.Typer(
    name="creep-fem",
    help="Chemo-mechanics of solid-state battery cathodes.",
    epilog="Exit codes: 0 done, 1 failed, 2 bad input, 3 not converged, 130 interrupted.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file of the run.")]
_Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Replace one entry, such as cycling.cycles=2; may be repeated.",
    ),
]


class _InterruptedError(Exception):
    """Ctrl-C as an exception that typer does not answer by itself."""


def main() -> None:
    """Run the command line of this process; of an MPI run, only rank 0 prints."""
    sys.exit(_guarded_app())


def process_rank(environment: Mapping[str, str]) -> int:
    """Find the MPI rank of this process without loading MPI.

    Args:
        environment: Environment variables of the process.

    Returns:
        The rank that the launcher gave it; 0 if there was no launcher.
    """
    for variable in _RANK_VARIABLES:
        if environment.get(variable, "").isdecimal():
            return int(environment[variable])
    return 0


def _guarded_app() -> int:
    """Run the app and turn errors into messages and exit codes."""
    with ExitStack() as stack:
        if process_rank(os.environ) != 0:
            nothing = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            stack.enter_context(redirect_stdout(nothing))
            stack.enter_context(redirect_stderr(nothing))
        try:
            app()
        except (ConfigError, PackingError, MeshError, NotConverged) as error:
            # Every process meets these together.
            from creep_fem.messages import print_error

            print_error(error)
            return EXIT_NOT_CONVERGED if isinstance(error, NotConverged) else EXIT_BAD_INPUT
        except _InterruptedError:
            typer.echo("interrupted: what was computed until then is on disk", err=True)
            _abort_other_processes(code=EXIT_INTERRUPTED)
            return EXIT_INTERRUPTED
        except CreepFemError as error:
            _abort_other_processes(f"{type(error).__name__}: {error}")
            from creep_fem.messages import print_error

            print_error(error)
        except Exception:
            _abort_other_processes(traceback.format_exc())
            raise
    return EXIT_FAILED


def _abort_other_processes(message: str | None = None, code: int = EXIT_FAILED) -> None:
    """End all processes of an MPI run, which might wait for this one forever."""
    if "mpi4py.MPI" not in sys.modules:
        return
    from mpi4py import MPI

    if MPI.COMM_WORLD.size > 1:
        if message is not None:
            # This may be a rank whose output is silenced.
            print(message, file=sys.__stderr__, flush=True)
        MPI.COMM_WORLD.Abort(code)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"creep-fem {creep_fem.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Chemo-mechanics of solid-state battery cathodes."""


@app.command()
def run(
    config: _Config,
    overrides: _Overrides = None,
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder that collects the run folders.")
    ] = Path("results"),
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Write PETSc's log view to DIR/NAME/profile.txt.")
    ] = False,
) -> None:
    """Simulate a config; the results go to a new folder DIR/NAME."""
    loaded = creep_fem.load_config(config, overrides or ())
    _create(output)
    try:
        result = creep_fem.run(loaded, output=output, quiet=quiet, profile=profile)
    except KeyboardInterrupt as error:
        raise _InterruptedError from error
    if not quiet:
        typer.echo(_summary(result))


def _summary(result: RunResult) -> str:
    from creep_fem.units import SECONDS_PER_HOUR

    history = result.history
    hours = history["time_s"][-1] / SECONDS_PER_HOUR
    return (
        f"{int(history['step'][-1])} steps, {hours:.3g} h simulated, "
        f"smallest gap {history['min_gap_um'].min() * 1e3:.2f} nm; results in {result.folder}"
    )


@app.command()
def mesh(
    config: _Config,
    overrides: _Overrides = None,
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for NAME.msh and NAME.png.")
    ] = Path(),
) -> None:
    """Pack and mesh the particles of a config, write the mesh and draw it."""
    loaded = creep_fem.load_config(config, overrides or ())
    from creep_fem.messages import print_notes
    from creep_fem.microstructure import (
        area_fractions,
        build_layout,
        build_mesh,
        draw_mesh,
        write_msh,
    )

    layout, notes = build_layout(loaded.microstructure)
    print_notes(notes)
    # Every process of an MPI run makes the same mesh, and so ends with the same exit code.
    particles = build_mesh(layout, loaded.mesh)
    _create(output)
    if process_rank(os.environ) != 0:
        return
    write_msh(particles, output / f"{loaded.name}.msh")
    draw_mesh(particles, output / f"{loaded.name}.png")
    shares = ", ".join(f"{phase} {share:.1%}" for phase, share in area_fractions(layout).items())
    typer.echo(
        f"{len(particles.body_phase)} particles ({shares}), {len(particles.cells)} elements; "
        f"wrote {output / loaded.name}.msh and .png"
    )


def _create(folder: Path) -> None:
    """Create the folder that results go to, if it is missing, and refuse one that is closed.

    Every process of an MPI run does so, and so ends with the same exit code.
    """
    message = "the folder cannot be written to"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder cannot be created: {error.strerror}"
    else:
        if os.access(folder, os.W_OK | os.X_OK):
            return
    raise ConfigError("command line", [Problem("--output", message, str(folder))])


_Output = Annotated[
    Path, typer.Option("--output", metavar="DIR", help="Folder that collects the results.")
]


@app.command()
def study(
    config: Annotated[Path, typer.Argument(metavar="STUDY", help="YAML file of the study.")],
    output: _Output = Path("results"),
    retry: Annotated[
        bool, typer.Option("--retry", help="Repeat runs that did not converge or had bad input.")
    ] = False,
) -> None:
    """Run variations of a config and collect numbers in DIR/NAME/table.csv; can be resumed."""
    _refuse_mpirun()
    from creep_fem.study.config import load_study

    loaded, cases = load_study(config)
    _create(output)
    from creep_fem.study.sweep import run_study
    from creep_fem.study.tables import print_outcome, print_study

    with _stopping_runs():
        result = run_study(loaded, cases, config, output, print_outcome, retry)
    print_study(loaded, result)
    if not all(row.done for row in result.rows):
        raise typer.Exit(EXIT_FAILED)


@app.command()
def calibrate(
    config: Annotated[
        Path, typer.Argument(metavar="CALIBRATION", help="YAML file of the calibration.")
    ],
    output: _Output = Path("results"),
) -> None:
    """Fit parameters of a config to targets: DIR/NAME/calibration.json; can be resumed."""
    _refuse_mpirun()
    from creep_fem.study.calibration import load_calibration

    loaded = load_calibration(config)
    _create(output)
    from creep_fem.study.calibrate import calibrate as fit
    from creep_fem.study.tables import print_calibration, print_outcome

    with _stopping_runs():
        result = fit(loaded, config, output, print_outcome)
    print_calibration(loaded, result)
    if not result.fit.converged:
        raise typer.Exit(EXIT_NOT_CONVERGED)


def _refuse_mpirun() -> None:
    """Refuse commands that start processes themselves under a launcher of several."""
    sizes = [os.environ.get(name, "") for name in _SIZE_VARIABLES]
    if any(size.isdecimal() and int(size) > 1 for size in sizes):
        message = "studies start the processes of their runs themselves"
        allowed = "without mpirun; the entry ranks of the file sets the processes of a run"
        raise ConfigError("command line", [Problem("mpirun", message, allowed=allowed)])


@contextmanager
def _stopping_runs() -> Iterator[None]:
    """End as on Ctrl-C also if the terminal is closed or a time limit is reached.

    The runs are processes of their own and would go on.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt as error:
        raise _InterruptedError from error


@app.command()
def report(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUNS...",
            help="Run folders or patterns, or LABEL=FOLDER,FOLDER... of such; runs with one label "
            "are drawn as mean and spread.",
        ),
    ],
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the figures and tables.")
    ] = Path("report"),
    targets: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML file with values to compare with."),
    ] = None,
) -> None:
    """Draw and tabulate finished runs together, from their folders."""
    from creep_fem.messages import print_notes
    from creep_fem.results.groups import read_groups
    from creep_fem.results.targets import NO_TARGETS, read_targets

    known = read_targets(targets) if targets else NO_TARGETS
    groups = read_groups(runs)
    _create(output)
    if process_rank(os.environ) != 0:
        return
    from creep_fem.report.comparison import report_runs

    labels = {group.label for group in groups}
    unused = sorted(known.labels - labels)
    print_notes([f"{targets}: no runs have the label {label}" for label in unused])
    for file in report_runs(groups, known, output):
        typer.echo(file)


@app.command()
def materials(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One material only.")] = None,
) -> None:
    """Show the material library: values, units, sources and confidence."""
    from creep_fem.materials import list_materials, load_material
    from creep_fem.messages import print_material

    for known in (name,) if name else list_materials():
        print_material(load_material(known))


@app.command()
def schema() -> None:
    """Print the JSON schema of the config, for editors."""
    from creep_fem.config import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
