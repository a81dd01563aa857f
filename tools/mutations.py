"""The mutants of a module: small changes of its syntax tree, one at a time, and the functions they change."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import CodeType

Changes = list[tuple[CodeType, CodeType]]

_NOT_RUN = {"annotation", "returns", "decorator_list", "type_params"}
"""Parts of a tree without mutants: types, and how a value between steps is made (frozen, compared)."""

_SWAPPED: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.USub: (ast.UAdd,),
    ast.Break: (ast.Continue,),
    ast.Continue: (ast.Break,),
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One node of a module's tree, and what stands in its place."""

    path: Path
    lines: range
    """Those of its statement; of a compound one those of its head."""
    tree: ast.Module
    owner: ast.AST
    field: str
    place: int | None
    new: ast.AST
    name: str = ""
    """Where it is and what it changes, as people and the file of results have it."""

    @contextmanager
    def changed(self) -> Iterator[None]:
        """Have the tree changed for a while."""
        whole = getattr(self.owner, self.field)
        held = whole if self.place is None else whole[:]
        if self.place is None:
            setattr(self.owner, self.field, self.new)
        else:
            whole[self.place] = self.new
        try:
            yield
        finally:
            if self.place is None:
                setattr(self.owner, self.field, held)
            else:
                whole[:] = held

    def code(self) -> CodeType:
        """Compile the changed module."""
        with self.changed():
            return compile(ast.fix_missing_locations(self.tree), str(self.path), "exec", dont_inherit=True)

    def changes(self) -> Changes:
        """Pair the outermost functions that differ; none where more than functions differs."""
        pairs = list(_pairs(_unchanged(self.path), self.code()))
        found = [(old, new) for old, new in pairs if old is not None and new is not None]
        return found if len(found) == len(pairs) else []


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Give all mutants of a module, in the order of its lines."""
    tree = ast.parse(path.read_text("utf-8"))
    yield from _below(path, tree, tree, range(0))


def _below(path: Path, tree: ast.Module, owner: ast.AST, lines: range) -> Iterator[Mutant]:
    for field, value in ast.iter_fields(owner):
        if field in _NOT_RUN:
            continue
        places = enumerate(value) if isinstance(value, list) else [(None, value)]
        for place, child in places:
            if not isinstance(child, ast.AST):
                continue
            inside = _head(child) if isinstance(child, ast.stmt) else lines
            for new in _instead(child, field, owner):
                yield _named(Mutant(path, inside, tree, owner, field, place, new), child)
            yield from _below(path, tree, child, inside)


def _instead(node: ast.AST, field: str, owner: ast.AST) -> Iterator[ast.AST]:
    """Give what may stand in a node's place: an operator's or number's neighbours, the contrary, nothing."""
    for each in _SWAPPED.get(type(node), ()):
        yield each()
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign():
            yield ast.Pass()
        case ast.expr() if field in {"test", "ifs"} and not isinstance(node, ast.Compare):
            yield ast.UnaryOp(ast.Not(), node)
        case ast.expr() if field == "iter" and isinstance(owner, ast.For | ast.comprehension):
            yield ast.List([], ast.Load())


def _named(mutant: Mutant, child: ast.AST) -> Mutant:
    """Say where a mutant is, and what the expression around it was and becomes."""
    of_owner = not isinstance(child, ast.expr | ast.stmt) or isinstance(mutant.owner, ast.expr | ast.keyword)
    at = child if isinstance(child, ast.expr | ast.stmt) else mutant.owner
    ast.copy_location(mutant.new, at)
    was = ast.unparse(mutant.owner if of_owner else child)
    with mutant.changed():
        becomes = ast.unparse(mutant.owner if of_owner else mutant.new)
    where = f"{mutant.path.stem}:{getattr(at, 'lineno', 0)}:{getattr(at, 'col_offset', 0)}"
    return replace(mutant, name=f"{where}: {was} -> {becomes}")


def _head(node: ast.stmt) -> range:
    body: list[ast.stmt] = getattr(node, "body", [])
    compound = bool(body) and body[0].lineno > node.lineno
    return range(node.lineno, body[0].lineno if compound else (node.end_lineno or node.lineno) + 1)


@cache
def _unchanged(path: Path) -> CodeType:
    return compile(path.read_text("utf-8"), str(path), "exec", dont_inherit=True)


def _pairs(before: CodeType, after: CodeType) -> Iterator[tuple[CodeType | None, CodeType | None]]:
    """Give the functions of a module or class that differ; (None, None) if its own code differs."""
    olds, news = ([each for each in code.co_consts if isinstance(each, CodeType)] for code in (before, after))
    if _bare(before) != _bare(after) or len(olds) != len(news):
        yield None, None
        return
    for old, new in zip(olds, news, strict=True):
        if old == new:
            continue
        if old.co_flags & 0x02:  # CO_NEWLOCALS: a function's body, where a class's has none
            yield old, new
        else:
            yield from _pairs(old, new)


def _bare(code: CodeType) -> tuple[object, ...]:
    return code.co_code, code.co_names, [each for each in code.co_consts if not isinstance(each, CodeType)]


def lines_of(code: CodeType) -> set[int]:
    """Give a function's lines, those of the functions in it included."""
    own = {line for _, _, line in code.co_lines() if line is not None}
    return own.union(*(lines_of(each) for each in code.co_consts if isinstance(each, CodeType)))
