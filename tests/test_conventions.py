"""The rules of the house, read off the source: what loads what, who imports whom, how files look."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

PACKAGE = "flash_integrations"
ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / PACKAGE
FILES = sorted(SRC.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in FILES}

FRAMEWORKS = {"langchain_core", "langchain", "llama_index"}
HEAVY = FRAMEWORKS | {"pydantic", "starlette", "uvicorn", "typer"}


# --- what an import loads -------------------------------------------------------------------------------------------


def loaded_by(module):
    """The top-level packages in memory after a fresh interpreter has imported a module."""
    code = f"import sys, json, {module}; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "module", [PACKAGE, f"{PACKAGE}.errors", f"{PACKAGE}.testing", f"{PACKAGE}.testing.pytest_plugin"]
)
def test_the_package_loads_nothing_heavy(module):
    """Importing the package, or its pytest plugin, loads no framework, no Pydantic and no server."""
    assert loaded_by(module) & HEAVY == set()


@pytest.mark.parametrize(
    ("adapter", "others"), [("langchain", {"llama_index"}), ("llama_index", {"langchain_core", "langchain"})]
)
def test_an_adapter_loads_its_own_framework_only(adapter, others):
    """Who uses one framework does not pay for the other, nor for the gateway or the command line."""
    assert loaded_by(f"{PACKAGE}.{adapter}") & (others | {"starlette", "uvicorn", "typer"}) == set()


# --- who imports whom -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Room:
    """A part of the package: the parts of ours it may import, and the packages of others (None: any)."""

    ours: set[str]
    others: set[str] | None


CORE = {"_core", "catalogue", "errors"}
CLIENT = CORE | {"_base_client", "_config", "_transport", "client"}
ADAPTER = CORE | {"__init__", "_adapters", "_config", "client"}
ROOMS = {
    "errors": Room(set(), set()),
    "_core": Room({"_core", "errors"}, {"orjson"}),
    "catalogue": Room({"_core", "errors"}, set()),
    "_config": Room(CORE | {"_config"}, set()),
    "_transport": Room(CORE | {"_config", "_transport"}, {"httpx"}),
    "_base_client": Room(CORE | {"_config", "_transport"}, {"httpx"}),
    "client": Room(CLIENT, set()),
    "__init__": Room(CORE | {"client"}, set()),
    "_adapters": Room(ADAPTER | {"_base_client"}, {"httpx", "pydantic"}),
    "langchain": Room(ADAPTER | {"langchain"}, {"langchain_core", "pydantic"}),
    "llama_index": Room(ADAPTER | {"llama_index"}, {"llama_index", "pydantic"}),
    "testing": Room(
        {"testing", "catalogue", "errors"},
        {"httpx", "orjson", "pytest", "starlette", "uvicorn", "vcr", "yaml"},
    ),
    "cli": Room(ADAPTER | {"cli", "langchain", "llama_index", "testing"}, None),
}
"""Every module or folder at the top of the package has its place here."""

BOTTOM = {"wire", "environment", "model_names"}
INNER_ARROWS = {
    "flow": {"commands", "policy", "endpoints", "completion", "failures", "framing", *BOTTOM},
    "commands": {"policy", *BOTTOM},
    "policy": {"completion", "failures", "framing", *BOTTOM},
    "endpoints": {"completion", "failures", "framing", *BOTTOM},
    "completion": {"framing", *BOTTOM},
    "failures": {"framing", *BOTTOM},
    "framing": BOTTOM,
    **{name: set() for name in BOTTOM},
    "__init__": set(),
}
"""Inside the core: what each of its parts may import of the others. Policy and endpoints do not know each other."""

ENDPOINT_ARROWS = {
    "call": {"reader"},
    "checks": set(),
    "reader": set(),
    "completion_reader": {"reader"},
    "models": {"call", "reader"},
    "__init__": set(),
}
"""Inside ``endpoints``: its loose files. A room of an endpoint may import those, and no other room."""

SHARED_WITH_THE_GATEWAY = f"{PACKAGE}._core.wire"
HTTPX_IMPORTERS = {"_transport/pools.py", "_transport/ports.py", "testing/_server/upstream.py"}


def dotted(path):
    """The module name of a source file; a package's own file counts as ``__init__``."""
    return ".".join([PACKAGE, *path.relative_to(SRC).with_suffix("").parts])


MODULES = {dotted(path) for path in FILES}


def room_of(module):
    """The room a module of ours stands in: the first part of its name inside the package."""
    return module.split(".")[1]


def is_type_checking(node):
    """Whether a statement is ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def statements(node, *, for_types):
    """All nodes below one, imports inside functions included; without what only type checkers see, if so asked."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child) and not for_types:
            continue
        yield child
        yield from statements(child, for_types=for_types)


def full_name(path, node):
    """The module an import starts from, with its leading dots resolved."""
    if not node.level:
        return node.module
    here = [PACKAGE, *path.relative_to(SRC).parts[:-1]]
    return ".".join([*here[: len(here) - node.level + 1], *([node.module] if node.module else [])])


def imports(path, *, for_types=True):
    """Full names of the modules a file imports; ``from . import x`` gives the module x where x is one."""
    found = set()
    for node in statements(TREES[path], for_types=for_types):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = full_name(path, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if {inner, f"{inner}.__init__"} & MODULES else base)
    return {f"{name}.__init__" if f"{name}.__init__" in MODULES else name for name in found}


def top(name):
    """The distribution-level part of a module's name."""
    return name.partition(".")[0]


def test_every_part_of_the_package_has_a_room():
    """A new module or folder at the top of the package is given its arrows before it is used."""
    assert {room_of(module) for module in MODULES} <= ROOMS.keys()


def ours(path):
    """What a file imports of the package."""
    for_types = dotted(path) != f"{PACKAGE}.errors"  # its docstrings' type of `partial` comes from above
    return {name for name in imports(path, for_types=for_types) if top(name) == PACKAGE}


def test_imports_follow_the_arrows():
    """A module imports, of ours, only what its room may: no framework in the core, no adapter in the other."""
    wrong = []
    for path in FILES:
        room = ROOMS[room_of(dotted(path))]
        allowed = {SHARED_WITH_THE_GATEWAY} if room is ROOMS["testing"] else set()
        wrong += [f"{dotted(path)} -> {name}" for name in ours(path) - allowed if room_of(name) not in room.ours]
    assert wrong == []


def inner(module, below):
    """The part of ``below`` that a module stands in."""
    return module.removeprefix(f"{PACKAGE}.{below}.").split(".")[0]


def test_imports_inside_the_core_follow_the_arrows():
    """From the flow down to the wire's types; no endpoint knows another, and the flow knows none by name."""
    wrong = []
    for path in (path for path in FILES if room_of(dotted(path)) == "_core"):
        part = inner(dotted(path), "_core")
        for name in (name for name in ours(path) if room_of(name) == "_core"):
            other = inner(name, "_core")
            if other not in INNER_ARROWS[part] | {part}:
                wrong.append(f"{dotted(path)} -> {name}")
            if part == "endpoints" and other == "endpoints":
                room, imported = inner(dotted(path), "_core.endpoints"), inner(name, "_core.endpoints")
                if imported not in ENDPOINT_ARROWS.get(room, ENDPOINT_ARROWS.keys() | {room}):
                    wrong.append(f"{dotted(path)} -> {name}")
    of_the_flow = {inner(name, "_core.endpoints") for name in ours(SRC / "_core/flow.py") if "endpoints" in name}
    assert (wrong, of_the_flow) == ([], {"call", "reader"})


def test_other_packages_stay_in_their_rooms():
    """Beyond the standard library a module imports only the packages that its room is there for."""
    wrong = []
    for path in FILES:
        room = ROOMS[room_of(dotted(path))]
        others = {top(name) for name in imports(path)} - sys.stdlib_module_names - {PACKAGE}
        wrong += [f"{dotted(path)} -> {name}" for name in others if room.others is not None and name not in room.others]
    assert wrong == []


def test_httpx_has_two_doors():
    """One room of the library runs on httpx, and the test gateway's relay; others may name its types."""
    loaded = {path: map(top, imports(path, for_types=False)) for path in FILES}
    assert {path.relative_to(SRC).as_posix() for path, names in loaded.items() if "httpx" in names} == HTTPX_IMPORTERS


def test_the_arrows_are_read_rightly():
    """The reading above resolves dots, inner imports and packages as Python does."""
    path = SRC / "catalogue.py"
    assert f"{PACKAGE}.errors" in imports(path)
    assert {"tomllib", "importlib.resources"} <= imports(path)
    assert f"{PACKAGE}._core.completion.completion" in imports(SRC / "errors.py")
    assert imports(SRC / "errors.py", for_types=False) == {"__future__", "typing"}


# --- style ----------------------------------------------------------------------------------------------------------


def test_files_can_be_read_in_one_sitting():
    """No source file is longer than 350 lines."""
    lengths = {dotted(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > 350} == {}


def test_modules_are_named_for_an_idea():
    """No module is a drawer for what had no place."""
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert {name for name in MODULES if drawers & {part.strip("_") for part in name.split(".")}} == set()


def swallows(node):
    """Whether a node catches every error and does nothing about it."""
    everything = {"Exception", "BaseException"}
    if isinstance(node, ast.ExceptHandler):
        caught = {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)} if node.type else everything
        return bool(caught & everything) and all(isinstance(each, ast.Pass | ast.Continue) for each in node.body)
    if isinstance(node, ast.Call) and ast.unparse(node.func) in {"suppress", "contextlib.suppress"}:
        return bool({ast.unparse(each) for each in node.args} & everything)
    return False


def test_no_error_is_swallowed():
    """No code catches every error and passes on."""
    assert [f"{dotted(path)}:{node.lineno}" for path in FILES for node in ast.walk(TREES[path]) if swallows(node)] == []


def public_definitions(node, prefix=""):
    """Public functions and classes, and public methods of those; overloads are told where they are implemented."""
    for child in node.body:
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or child.name.startswith("_"):
            continue
        if {"overload", "typing.overload"} & {ast.unparse(each) for each in child.decorator_list}:
            continue
        yield f"{prefix}{child.name}", child
        if isinstance(child, ast.ClassDef):
            yield from public_definitions(child, f"{prefix}{child.name}.")


def test_what_is_public_is_told():
    """Every module, public class, function and method has a docstring."""
    missing = [dotted(path) for path in FILES if not ast.get_docstring(TREES[path])]
    for path in FILES:
        named = public_definitions(TREES[path])
        missing += [f"{dotted(path)}.{name}" for name, node in named if not ast.get_docstring(node)]
    assert missing == []


TESTS = sorted(Path(__file__).parent.rglob("test_*.py"))


def test_every_test_states_its_promise():
    """Each test function has a docstring that says what is promised."""
    silent = []
    for path in TESTS:
        for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
            is_test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
            if is_test and not ast.get_docstring(node):
                silent.append(f"{path.relative_to(ROOT)}::{node.name}")
    assert silent == []


def test_the_lowest_versions_are_those_that_pyproject_names():
    """``constraints-lowest.txt``, which is tested, pins each dependency of the package to its lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    wanted = [each for each in map(Requirement, texts) if each.name != project["name"]]
    lines = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.lower().split("==") for line in lines if not line.startswith("#"))
    assert wanted
    for each in wanted:
        (floor,) = [bound.version for bound in each.specifier if bound.operator == ">="]
        assert Version(pinned[each.name]) == Version(floor), each.name
