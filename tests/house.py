"""The house in figures: how large modules and functions are, what is documented, what imports what.

`python -m tests.house` prints them; test_house.py holds them to limits.
"""

import ast
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Each may import those before it and itself (docs/architecture.md, The layers).
LAYERS = ("audit", "contacts", "buildings", "omarty")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A module of ours: its dotted name, its file, what it says."""

    name: str
    file: Path
    tree: ast.Module
    lines: int

    def functions(self) -> list[Function]:
        """All of them, methods and inner ones too."""
        return [each for each in ast.walk(self.tree) if isinstance(each, Function)]

    def public(self) -> list[Function | ast.ClassDef]:
        """Functions and classes of the module that others may use."""
        named = [each for each in self.tree.body if isinstance(each, Function | ast.ClassDef)]
        return [each for each in named if not each.name.startswith("_")]

    def imports(self) -> Iterator[tuple[str, str]]:
        """What each import names: a module, and the name that is taken from it or nothing."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield from ((node.module or "", alias.name) for alias in node.names)

    def private_names(self) -> list[str]:
        """What this module takes from another of ours though its name begins with an underscore."""
        ours = [each for each in self.imports() if each[0].split(".")[0] in LAYERS]
        parts = {f"{source}.{name}": f"{source}.{name}".split(".") for source, name in ours}
        taken = [each for each, names in parts.items() if any(map(_is_private, names))]
        # `from omarty import lockout`, then `lockout._x`.
        aliases = {
            alias.asname or alias.name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if f"{node.module}.{alias.name}" in modules()
        }
        return taken + [
            f"{node.value.id}.{node.attr}"
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in aliases
            and _is_private(node.attr)
        ]


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


@cache
def modules() -> dict[str, Module]:
    """Every module of the four layers by its name, migrations left out."""
    found = {}
    for layer in LAYERS:
        for file in sorted((ROOT / layer).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            if "migrations" not in parts:
                name = ".".join(parts).removesuffix(".__init__")
                text = file.read_text()
                found[name] = Module(name, file, ast.parse(text), len(text.splitlines()))
    return found


def imported(module: Module) -> set[str]:
    """The names of our modules that this one imports."""
    named = {f"{source}.{name}" for source, name in module.imports()}
    named |= {source for source, name in module.imports() if f"{source}.{name}" not in modules()}
    return named & set(modules()) - {module.name}


def circles() -> list[list[str]]:
    """Modules that import each other, directly or by way of others."""
    arrows = {name: imported(module) for name, module in modules().items()}

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            further = arrows[waiting.pop()] - found
            found |= further
            waiting += further
        return found

    beyond = {name: reached(name) for name in arrows}
    rings = {
        tuple(sorted(other for other in beyond[name] if name in beyond[other]))
        for name in arrows
        if name in beyond[name]
    }
    return [list(ring) for ring in sorted(rings)]


def length(function: Function) -> int:
    """From `def` to the last line."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _annotated(function: Function) -> bool:
    given = function.args
    wanted = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    named = [each for each in wanted if each is not None and each.arg not in {"self", "cls"}]
    return function.returns is not None and all(each.annotation for each in named)


@dataclass(frozen=True)
class Figures:
    """What is counted; lines are lines of the file, shares lie between 0 and 1."""

    modules: int
    module_median: float
    module_largest: tuple[int, str]
    functions: int
    function_median: float
    function_p95: float
    function_largest: tuple[int, str]
    documented: float
    annotated: float
    circles: list[list[str]]


def figures() -> Figures:
    """The figures of the house as it stands."""
    lines = [(module.lines, name) for name, module in modules().items() if module.lines]
    functions = [
        (length(each), f"{name}.{each.name}", _annotated(each))
        for name, module in modules().items()
        for each in module.functions()
    ]
    lengths = [each for each, *_ in functions]
    public = [each for module in modules().values() for each in module.public()]
    return Figures(
        modules=len(lines),
        module_median=statistics.median(each for each, _ in lines),
        module_largest=max(lines),
        functions=len(functions),
        function_median=statistics.median(lengths),
        function_p95=statistics.quantiles(lengths, n=20)[-1],
        function_largest=max(functions)[:2],
        documented=statistics.mean(ast.get_docstring(each) is not None for each in public),
        annotated=statistics.mean(each for *_, each in functions),
        circles=circles(),
    )


def main() -> None:
    """Print the figures."""
    known = figures()
    lines, largest = known.module_largest
    print(f"modules    {known.modules}, median {known.module_median:g} lines")
    print(f"           largest {lines}: {largest}")
    lines, largest = known.function_largest
    print(f"functions  {known.functions}, median {known.function_median:g} lines")
    print(f"           95 of 100 within {known.function_p95:g}, largest {lines}: {largest}")
    print(f"documented {known.documented:.1%} of public functions and classes")
    print(f"annotated  {known.annotated:.1%} of functions")
    print(f"circles    {len(known.circles)}")
    for ring in known.circles:
        print(f"           {' '.join(ring)}")


if __name__ == "__main__":
    main()
