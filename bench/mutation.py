"""Whether the tests of the judgement would notice: every comparison in readiness/ turned round, one at a time."""

import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import CodeType, ModuleType

import hypothesis
import msgspec
import pytest

ROOT = Path(__file__).parents[1]
ROOM, TESTS = ROOT / "readiness", ROOT / "tests" / "readiness"
LAST = "test_properties.py"  # the slowest, so a mutant that another file kills never gets there
LEFT_OUT = "tests/readiness/test_gather.py::test_a_year_of_five_minute_rows_is_one_pass"  # about time, not about answers
PATIENCE = 120  # s for one mutant's tests: one that never ends is noticed too
EXAMPLES = 40  # of each property, always the same ones
# Where a module's tests are, when not under its own name; they come first, so that most mutants go at once.
WHERE = {
    "decision": "gate",
    "demand": "roadmap",
    "endpoints": "gather",
    "evidence": "attestations",
    "gaps": "fit_gap",
    "gaps_counted": "fit_gap",
    "gaps_line": "fit_gap",
    "hold": "gate",
    "inventory": "gather",
    "line": "gather",
    "plan": "fit_gap",
    "policy": "gate",
    "pricing": "fit_gap",
    "sample": "gather",
    "stages": "judge",
    "usage": "gather",
}
# What a test process must import anew, so that everybody meets the mutant.
ROOMS = frozenset({"agent", "census", "collectors", "lab", "ledger", "probes", "readiness", "reports", "store", "testpoint"})
Row = tuple[str, ...]

_EDGE = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_OTHER = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_EXTREMES = {"min": "max", "max": "min"}

# Survivors that no test could ever tell from the original: (module, before, after) and why.
_ON_A_LIMIT = "asked only of a value that misses, and one on a limit misses only where the limits cross, which readers refuse"
_FITTED = "a fitted number does not land on the limit to its last bit"
EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("forecast", "high > WIDEST", "high >= WIDEST"): _FITTED,
    ("forecast", "low < -1 / 3", "low <= -1 / 3"): _FITTED,
    (
        "gather",
        "fact.metric == 'platform_success'",
        "fact.metric != 'platform_success'",
    ): "where the share that answered is known, the number of hosts is too, over the same days",
    ("sample", "at > until", "at >= until"): "a reading at the window's end lies inside it and never gets here",
    ("weigh", "value > bound.at_most", "value >= bound.at_most"): _ON_A_LIMIT,
    ("weigh", "value < bound.at_least", "value <= bound.at_least"): _ON_A_LIMIT,
}


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """One change to one module: the `number`th that `changes` finds in it."""

    module: str
    number: int
    line: int
    before: str
    after: str


def mutation() -> Iterator[Row]:
    """Every comparison in readiness/ flipped, one at a time, and whether a test in tests/readiness fails then.

    `<` becomes `<=` and `>=`, `==` becomes `!=`, `in`, `is`, `not`, `and`, `or`, `min` and `max` their opposites. Each mutant
    meets all tests of the room but one that is about time. Where one survives, its place is named, or the reason why no
    test could tell it from the original.
    """
    found = {path.stem: list(mutants(path)) for path in sorted(ROOM.glob("*.py"))}
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        if not pool.submit(_survives, None).result():
            yield ("module", "figure", "-")
            yield ("all", "not run", "the tests fail without any mutant")
            return
        every = [one for ones in found.values() for one in ones]
        lived = [one for one, alive in zip(every, pool.map(_survives, every), strict=True) if alive]
    yield ("module", "mutants", "killed", "cannot be told apart", "survived")
    same = [one for one in lived if _key(one) in EQUIVALENT]
    for module, ones in found.items():
        if ones:
            left = [one for one in lived if one.module == module and one not in same]
            named = "; ".join(f"line {one.line}: `{one.before}` as `{one.after}`" for one in left)
            yield _row(module, ones, [one for one in lived if one.module == module], left, named)
    left = [one for one in lived if one not in same]
    yield _row("together", every, lived, left, f"{len(left)}")
    for one in same:
        yield (f"{one.module}, line {one.line}", f"`{one.before}` as `{one.after}`", "-", EQUIVALENT[_key(one)], "-")


def _row(name: str, ones: Sequence[Mutant], lived: Sequence[Mutant], left: Sequence[Mutant], named: str) -> Row:
    killed = len(ones) - len(lived)
    return (name, f"{len(ones)}", f"{killed} ({killed / len(ones):.0%})", f"{len(lived) - len(left)}", named.replace("|", "or"))


def _key(one: Mutant) -> tuple[str, str, str]:
    return (one.module, one.before, one.after)


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its syntax tree."""
    for number, (node, change) in enumerate(changes(ast.parse(path.read_text()))):
        before = ast.unparse(node)
        change()
        after = ast.unparse(node)
        change()
        yield Mutant(module=path.stem, number=number, line=node.lineno, before=before, after=after)


def mutated(one: Mutant) -> CodeType:
    """The module's code with that one change."""
    path = ROOM / f"{one.module}.py"
    tree = ast.parse(path.read_text())
    _, change = list(changes(tree))[one.number]
    change()
    return compile(ast.fix_missing_locations(tree), path, "exec")


def changes(tree: ast.AST) -> Iterator[tuple[ast.expr, Callable[[], None]]]:
    """Each expression that decides something, and what changes it; called again, it changes it back."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare():
                for place, operator in enumerate(node.ops):
                    for table in (_EDGE, _OTHER):
                        if other := table.get(type(operator)):
                            yield node, _Swap(node.ops, place, other())
            case ast.BoolOp():
                yield node, _Set(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
            case ast.UnaryOp(op=ast.Not()):
                yield node, _Set(node, "operand", ast.UnaryOp(op=ast.Not(), operand=node.operand))
            case ast.Call(func=ast.Name(id=name)) if name in _EXTREMES:
                yield node, _Set(node.func, "id", _EXTREMES[name])


class _Swap:
    """One operator of a comparison for another."""

    def __init__(self, operators: list[ast.cmpop], place: int, other: ast.cmpop) -> None:
        self._operators, self._place, self._other = operators, place, other

    def __call__(self) -> None:
        self._operators[self._place], self._other = self._other, self._operators[self._place]


class _Set:
    """One field of a node for another."""

    def __init__(self, node: ast.AST, field: str, other: object) -> None:
        self._node, self._field, self._other = node, field, other

    def __call__(self) -> None:
        now = getattr(self._node, self._field)
        setattr(self._node, self._field, self._other)
        self._other = now


def _survives(one: Mutant | None) -> bool:
    """Whether all tests pass with the mutant; None: without one. Those about its module first, as most mutants go there."""
    code = None if one is None else mutated(one)
    files = sorted(TESTS.glob("test_*.py"), key=lambda path: (path.name == LAST, path.name))
    near = [path for path in files if one is not None and path.stem == f"test_{WHERE.get(one.module, one.module)}"]
    return all(_passes(one, code, part) for part in (near, [path for path in files if path not in near]) if part)


def _passes(one: Mutant | None, code: CodeType | None, files: Sequence[Path]) -> bool:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = _tested(one, code, files)
        finally:
            os._exit(status)  # whatever happens, this process never goes on as a second parent
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _tested(one: Mutant | None, code: CodeType | None, files: Sequence[Path]) -> int:
    """The exit status of pytest in a process of its own; 0 when nothing was noticed."""
    signal.alarm(PATIENCE)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for name in [name for name in sys.modules if name.partition(".")[0] in ROOMS]:
        del sys.modules[name]
    if one is not None and code is not None:
        sys.meta_path.insert(0, _Finder(f"readiness.{one.module}", code))
    # One failure is enough; to look for a smaller one would take most of the time.
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutation", max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=phases
    )
    hypothesis.settings.load_profile("mutation")
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with contextlib.suppress(BaseException):
        options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        return int(pytest.main([*options, f"--deselect={LEFT_OUT}", *map(str, files)]))
    return 1


class _Finder(importlib.abc.MetaPathFinder):
    """Hands out the mutant in place of the module."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name, self._code = name, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path)
        if found is None or found.origin is None:
            return None
        loader = _Loader(fullname, found.origin, self._code)
        return importlib.util.spec_from_file_location(fullname, found.origin, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    """The module's file, but not its code."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, _fullname: str) -> CodeType:
        return self._code
