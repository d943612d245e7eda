"""What a score depends on besides its input: derived from the import graph of the module that makes it."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import distributions
from importlib.util import resolve_name
from pathlib import Path

import latent_edit

PACKAGE = "latent_edit"


@lru_cache(maxsize=32)
def code_hash(module: str, without: str | None = None) -> str:
    """SHA-256 over what a module of this project and everything of this project that it imports do.

    Imports inside functions count, imports for type checkers do not. Comments and docstrings do not count, nor does the
    module `without`, with what it alone imports.
    """
    digest = hashlib.sha256()
    for name in sorted(_graph(module, without)[0]):
        digest.update(f"{name}\n{_statements(name)}\n".encode())
    return digest.hexdigest()[:32]


@lru_cache(maxsize=32)
def package_versions(module: str) -> dict[str, str]:
    """Distribution -> version, of the installed packages that a module and its imports name."""
    named = _graph(module)[1]
    return {name: version for package in sorted(named) for name, version in _installed().get(package, ())}


@lru_cache(maxsize=1)
def _installed() -> dict[str, set[tuple[str, str]]]:
    """Importable name -> name and version of the distributions that have it.

    From their files: `packages_distributions` misses a compiled module without a folder, such as parselmouth.
    """
    found: dict[str, set[tuple[str, str]]] = {}
    for distribution in distributions():
        named = distribution.metadata["Name"], distribution.version
        for top in {file.parts[0].partition(".")[0] for file in distribution.files or () if file.parts[0] != ".."}:
            found.setdefault(top, set()).add(named)
    return found


@lru_cache(maxsize=32)
def _graph(module: str, without: str | None = None) -> tuple[frozenset[str], frozenset[str]]:
    """Modules of this project that `module` reaches, itself included, and packages of others that they name; what is
    reached through `without` alone apart."""
    if _file(module) is None:
        raise ValueError(f"{module} is no module of {PACKAGE}")
    own, others, pending = {module}, set[str](), [module]
    while pending:
        current = pending.pop()
        for name in _imports(current):
            package = name.partition(".")[0]
            if package != PACKAGE:
                others.add(package)
            elif name not in own and name != without:
                own.add(name)
                pending.append(name)
    return frozenset(own), frozenset(others - set(sys.stdlib_module_names))


def _imports(module: str) -> Iterator[str]:
    """Every module that the source of a module imports, wherever the import stands."""
    file = _file(module)
    assert file is not None
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in _run_time_nodes(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else str(node.module)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if _file(whole) else base


def _run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes, without the bodies of `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from (inner for other in node.orelse for inner in (other, *_run_time_nodes(other)))
        else:
            yield node
            yield from _run_time_nodes(node)


def _file(module: str) -> Path | None:
    """The source of a module of this project; None where there is none."""
    first, *parts = module.split(".")
    if first != PACKAGE:
        return None
    path = Path(latent_edit.__file__).parent.joinpath(*parts)
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _statements(module: str) -> str:
    file = _file(module)
    assert file is not None
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [item for item in body if not _is_docstring(item)]
    return ast.unparse(tree)


def _is_docstring(item: ast.stmt) -> bool:
    return isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
