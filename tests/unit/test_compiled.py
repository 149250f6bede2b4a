"""Rules that compiled loops have to keep."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import pytest
from numba.core import event
from numba.core.dispatcher import Dispatcher
from numba.core.types import NamedTuple

import creep_fem.compiled
from creep_fem.contact import loops
from creep_fem.mechanics import loops as point_loops
from creep_fem.mechanics import moduli

ROOT = Path(__file__).parents[2]
MODULES = (loops, point_loops, moduli)

# A small run, and for how many kinds of arrays each loop was compiled or loaded.
PROGRAM = """
import sys
sys.path.insert(0, "tests/unit")
from pathlib import Path
from test_compiled import MODULES, dispatchers, foreign_tuples
from creep_fem import load_config, run

short = [
    "mesh.surface_size=0.5 um",
    "mesh.interior_size=0.8 um",
    "cycling.soc={start: 0.0, low: 0.0, high: 0.02}",
    "output.figures=false",
]
run(load_config("configs/demo.yaml", short), output=Path(sys.argv[1]), quiet=True)
for module in MODULES:
    for name, dispatcher in dispatchers(module):
        print(name, len(dispatcher.signatures), *foreign_tuples(module, dispatcher))
"""


def dispatchers(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        if isinstance(value, Dispatcher):
            yield name, value


def foreign_tuples(module: ModuleType, dispatcher: Any) -> Iterator[str]:
    """Named tuples that a loop takes although another file defines them."""
    for kind in chain.from_iterable(dispatcher.signatures):
        if isinstance(kind, NamedTuple) and kind.instance_class.__module__ != module.__name__:
            yield kind.instance_class.__name__


def test_all_loops_are_known_here() -> None:
    users = (p for p in (ROOT / "creep_fem").rglob("*.py") if "@compiled" in p.read_text("utf-8"))
    assert {*users} == {Path(module.__file__ or "") for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_loops_call_only_those_of_their_own_file(module: ModuleType) -> None:
    """Numba takes machine code from its cache as long as the file of the caller stands."""
    own = {value for _, value in dispatchers(module)}
    assert own
    for loop in own:
        used = (vars(module).get(name) for name in loop.py_func.__code__.co_names)
        for value in used:
            if isinstance(value, Dispatcher):
                assert value.py_func.__code__.co_filename == module.__file__
            if isinstance(value, ModuleType):
                assert not value.__name__.startswith("creep_fem")


def test_without_a_cache_loops_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_folder(cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function")
        return numba.njit(**options)

    monkeypatch.setattr(creep_fem.compiled, "njit", without_folder)
    assert creep_fem.compiled.compiled(lambda a, b: a / b)(1.0, 0.0) == float("inf")


class CtrlC(event.Listener):
    """Presses Ctrl-C while a function is compiled, at the start or at the end."""

    def __init__(self, at_end: bool) -> None:
        self.at_end = at_end

    def on_start(self, _: event.Event) -> None:
        if not self.at_end:
            signal.raise_signal(signal.SIGINT)

    def on_end(self, _: event.Event) -> None:
        if self.at_end:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("at_end", [False, True])
def test_ctrl_c_waits_for_the_compiler(at_end: bool) -> None:
    """LLVM's calls into Python drop it: a first run could not always be stopped."""
    handler = signal.getsignal(signal.SIGINT)
    for _ in range(2):
        function = numba.njit(lambda a: a + 1.0)
        pressing = event.install_listener("numba:compile", CtrlC(at_end))
        with pressing, pytest.raises(KeyboardInterrupt):
            function(1.0)
        assert len(function.signatures) == 1
        assert signal.getsignal(signal.SIGINT) is handler
        assert function(1.0) == 2.0


def test_ctrl_c_just_before_or_after_the_compiler_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python runs pending handlers when one is set."""
    setter = signal.signal

    def late(number: int, handler: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return setter(number, handler)

    for _ in range(2):
        function = numba.njit(lambda a: a + 1.0)
        with monkeypatch.context() as patched:
            patched.setattr(signal, "signal", late)
            with pytest.raises(KeyboardInterrupt):
                function(1.0)
        assert function(1.0) == 2.0
    with event.install_listener("numba:compile", CtrlC(False)), pytest.raises(KeyboardInterrupt):
        (function := numba.njit(lambda a: a + 1.0))(1.0)
    assert len(function.signatures) == 1


def test_a_run_needs_every_loop_once(tmp_path: Path) -> None:
    """Arrays of another kind would be compiled for as well, in the middle of a run.

    A tuple of another file can change its order of fields without Numba's cache noticing.
    """
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "run")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts = {name: rest for name, *rest in map(str.split, done.stdout.splitlines())}
    assert counts["respond"] == ["1"]
    assert all(rest in (["0"], ["1"]) for rest in counts.values()), done.stdout
