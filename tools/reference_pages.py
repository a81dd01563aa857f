"""Write docs/reference/: what Python offers, the settings and the errors; a test checks that they hold.

python -m tools.reference_pages
"""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeVar

import outlay
from outlay.cli.settings_file import SETTINGS, TABLES
from outlay.core import errors
from outlay.settings import VARIABLES

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
Node = TypeVar("Node", bound=ast.AST)
_SECTIONS = re.compile(r"^(Raises|Args|Returns|Yields):$", re.MULTILINE)


def pages() -> dict[str, str]:
    """Give the text of every page by its file name."""
    return {"python.md": python_page(), "settings.md": settings_page(), "errors.md": errors_page()}


def python_page() -> str:
    """Describe everything that ``import outlay`` offers, functions first."""
    found = {name: getattr(outlay, name) for name in sorted([*outlay.__all__, "open"])}
    functions = [name for name, each in found.items() if not inspect.isclass(each)]
    classes = [name for name, each in found.items() if inspect.isclass(each)]
    head = "# Python\n\nWhat `import outlay` offers. Made from the docstrings by `make docs`.\n"
    return "\n".join([
        head,
        "## Functions\n",
        *(_function(f"outlay.{name}", found[name], "###") for name in functions),
        "## Values\n",
        *(_class(name, found[name]) for name in classes if not issubclass(found[name], Exception)),
    ])  # fmt: skip


def _function(name: str, function: Any, sign: str, title: str = "") -> str:
    made = _parsed(function, ast.FunctionDef)
    for argument in ast.walk(made.args):
        if isinstance(argument, ast.arg):
            argument.annotation = _unquoted(argument.annotation)
    returns = _unquoted(made.returns)
    given = "" if returns is None else f" -> {ast.unparse(returns)}"
    call = f"{name}({ast.unparse(made.args)}){given}"
    return f"{sign} {title or name.rpartition('.')[2]}\n\n```python\n{call}\n```\n\n{_text(function)}\n"


def _unquoted(annotation: ast.expr | None) -> ast.expr | None:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def _parsed(thing: Any, kind: type[Node]) -> Node:
    """Read a definition from its source, whose text is the same under every Python."""
    (node,) = ast.parse(dedent(inspect.getsource(inspect.unwrap(thing)))).body
    if not isinstance(node, kind):
        raise TypeError(f"{thing} is no {kind.__name__}")
    return node


def _class(name: str, kind: type) -> str:
    parts = [f"### {name}\n\n{_text(kind)}\n"]
    if is_dataclass(kind):
        parts.append("\n".join(["| field | type | |", "|---|---|---|", *_fields(kind)]) + "\n")
    for method, each in sorted(vars(kind).items()):
        title = f"{name}.{method}"
        function = each.__func__ if isinstance(each, classmethod | staticmethod) else each
        if method.startswith("_"):
            continue
        if isinstance(each, property):
            parts.append(f"#### {title}\n\n{_text(each)}\n")
        elif inspect.isfunction(function):
            parts.append(_function(title, function, "####", title))
    return "\n".join(parts)


def _fields(kind: type) -> Iterator[str]:
    """Give a row a field; what it means stands in the comment behind it."""
    source = inspect.getsource(kind)
    for node in _parsed(kind, ast.ClassDef).body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        line = source.splitlines()[(node.end_lineno or node.lineno) - 1]
        if not node.target.id.startswith("_"):
            shown = ast.unparse(node.annotation).replace("|", "\\|")
            yield f"| `{node.target.id}` | `{shown}` | {_code(line.partition('  # ')[2])} |"


def _code(text: str) -> str:
    """Turn the roles and the double backticks of docstrings into Markdown's."""
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")


def _text(thing: Any) -> str:
    """Give a docstring as Markdown: its roles as code, its sections as bold words."""
    text = _code(inspect.getdoc(thing) or "")
    head, *rest = _SECTIONS.split(text)
    parts = [head.strip()]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        rows = re.sub(
            r"\n {4,}(?=\S)", lambda found: "\n" + found[0].lstrip("\n")[4:], "\n" + body.strip("\n")
        )
        items = [line for line in rows.strip("\n").split("\n") if line.strip()]
        parts.append(f"**{title}**\n\n" + "\n".join(_item(line) for line in items))
    return "\n\n".join(parts)


def _item(line: str) -> str:
    name, sign, rest = line.partition(": ")
    return f"- `{name.strip()}`: {rest}" if sign and not line.startswith(" ") else f"  {line.strip()}"


def settings_page() -> str:
    """Describe every setting, as ``outlay init`` writes it."""
    head = (
        "# Settings\n\nFrom the environment first, then from the nearest `outlay.toml` upwards, which"
        " `outlay init` writes. A relative path counts from the file that names it.\n\n"
        "| setting | variable | default | for example | meaning |\n|---|---|---|---|---|\n"
    )
    return head + "\n".join(_setting(each) for each in (*SETTINGS, *TABLES)) + "\n"


def _setting(each: Any) -> str:
    cells = [
        f"`{each.key}`",
        f"`{VARIABLES[each.key]}`" if each.key in VARIABLES else "the file alone",
        "the user's data folder"
        if each.default == "{home}"
        else f"`{each.default}`"
        if each.default
        else "none",
        f"`{each.example}`" if each.example else "",
        each.meaning,
    ]
    return f"| {' | '.join(cells)} |"


def errors_page() -> str:
    """Describe the tree of errors."""
    found = [each for each in vars(errors).values() if inspect.isclass(each)]
    rows = [_error(each) for each in found if issubclass(each, outlay.OutlayError)]
    head = (
        "# Errors\n\nAll in `outlay.core.errors`. None of them reaches the caller of an instrumented SDK but"
        " `BudgetExceededError`, and that only where a rule says `stop = true`.\n\n"
    )
    return f"{head}| error | is a | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _error(each: type) -> str:
    bases = ", ".join(f"`{base.__name__}`" for base in each.__bases__)
    return f"| `{each.__name__}` | {bases} | {_text(each).splitlines()[0]} |"


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
