"""Which of a package's programs do without a folder that a new repository lacks; the others are left out.

A module without an underscore is a program; those with one are what programs share. What a program reaches is read
from its imports, definition by definition, so that a program that is added needs no entry in a list. It must not know
what any of them does.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


class Definition(NamedTuple):
    """A name at the top of a module: a function, a class, a constant, or what is imported."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Module:
    """A module's text, its statements, and where the names lead that it imports from its own package."""

    text: str
    statements: tuple[ast.stmt, ...]
    imported: Mapping[str, tuple[str, str | None]]  # None: the module as a whole

    @classmethod
    def read(cls, path: Path) -> Module:
        """Read it; its package is the folder that it is in."""
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        return cls(text, tuple(tree.body), dict(_find_imported(tree, path.parent.name)))

    def names(self) -> set[str]:
        """Return all names at its top."""
        return {name for statement in self.statements for name in _bound(statement)}

    def used_by(self, name: str) -> set[str]:
        """Return which names of the module what binds this one uses."""
        return self.names() & {used for one in self._binding(name) for used in _used(one)}

    def says(self, name: str, text: str) -> bool:
        """Whether what binds a name has exactly this text in it, as one of its strings."""
        nodes = (node for statement in self._binding(name) for node in ast.walk(statement))
        return any(isinstance(node, ast.Constant) and node.value == text for node in nodes)

    def cut(self, reached: set[str]) -> str:
        """Return its text with these definitions alone; what it was is not what it says of itself any more."""
        kept = [one for one in self.statements if _bound(one) & reached or _is_future(one)]
        lines = self.text.splitlines()
        own = ", ".join(sorted(reached - set(_imports(kept))))
        parts = [f'"""{own}: what the programs beside this share."""']
        for statement in kept:
            first = statement.lineno - 1
            while first and lines[first - 1].startswith("#"):  # a comment belongs to what it is above
                first -= 1
            parts.append("\n".join(lines[first : statement.end_lineno]))
        return "\n\n".join(parts) + "\n"

    def _binding(self, name: str) -> Iterator[ast.stmt]:
        return (statement for statement in self.statements if name in _bound(statement))


def keep_programs(folder: Path, *, without: str) -> None:
    """Leave the programs of a package that do without a folder of this name, and what they share."""
    modules = {path.stem: Module.read(path) for path in folder.glob("*.py") if path.stem != "__init__"}
    reached: set[Definition] = set()
    for program in (name for name in modules if not name.startswith("_")):
        found = reach(modules, program)
        if not any(modules[one.module].says(one.name, without) for one in found):
            reached |= found
    for name, module in modules.items():
        names = {one.name for one in reached if one.module == name}
        path = folder / f"{name}.py"
        if not names:
            path.unlink()
        elif any(module.says(one, without) for one in module.names()):
            path.write_text(module.cut(names), encoding="utf-8")


def reach(modules: Mapping[str, Module], program: str) -> set[Definition]:
    """Return every definition of the package that a program reaches, its own among them."""
    found: set[Definition] = set()
    waiting = [Definition(program, name) for name in modules[program].names()]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        module = modules[one.module]
        waiting += [Definition(one.module, name) for name in module.used_by(one.name)]
        if one.name in module.imported:
            source, name = module.imported[one.name]
            whole = name is None or not source.startswith("_")  # a program is kept as a whole
            waiting += [
                Definition(source, each) for each in (modules[source].names() if whole else [name or ""])
            ]
    return found


def _find_imported(tree: ast.Module, package: str) -> Iterator[tuple[str, tuple[str, str | None]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                if node.module == package:
                    yield alias.asname or alias.name, (alias.name, None)
                elif node.module.startswith(f"{package}."):
                    yield alias.asname or alias.name, (node.module.removeprefix(f"{package}."), alias.name)


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module gives a meaning to."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    nodes = list(ast.walk(statement))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | set(_imports(nodes))


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)


def _used(statement: ast.stmt) -> Iterator[str]:
    nodes = ast.walk(statement)
    return (node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
