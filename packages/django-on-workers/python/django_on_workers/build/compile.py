"""Turns sources into bytecode for this interpreter."""

import ast
import json
import re
import warnings
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import cache_from_source, source_hash
from pathlib import Path

from .positions import without_columns

__all__ = ["compile_tree"]


def compile_tree(config: str) -> str:
    """Compile every module under ``root`` and write its ``.pyc`` under ``out``, the same tree below.

    `config` is JSON: ``root``, ``out``, ``without_docstrings`` (a regular expression: sources whose path below ``root``
    begins with a match lose theirs), ``own`` (whether these are the project's, whose tracebacks are to mark the part of
    a line that failed, and whose warnings are told).
    The bytecode names the path under ``root`` and is never checked against a source (PEP 552), so the source need
    not be there. Returns JSON: ``failed``, a list of path and message of what is not valid Python.
    """
    parsed = json.loads(config)
    root, out = Path(parsed["root"]), Path(parsed["out"])
    without_docstrings = re.compile(parsed["without_docstrings"])
    failed = []
    if not parsed["own"]:
        warnings.simplefilter("ignore", SyntaxWarning)
    for path in sorted(root.rglob("*.py")):
        source = path.read_bytes()
        try:
            tree = ast.parse(source, str(path))
            if without_docstrings.match(path.relative_to(root).as_posix()):
                _strip_docstrings(tree)
            code = compile(tree, str(path), "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError) as error:
            failed.append([str(path), str(error)])
            continue
        if not parsed["own"]:
            code = without_columns(code)
        target = out / Path(cache_from_source(str(path))).relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_code_to_hash_pyc(code, source_hash(source), False))
    return json.dumps({"failed": failed})


def _strip_docstrings(tree: ast.Module) -> None:
    # Through statements only: most of a tree are expressions, which have none.
    nodes: list[ast.AST] = [tree]
    for node in nodes:
        if isinstance(node, _DESCRIBED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
            if not node.body and not isinstance(node, ast.Module):
                node.body.append(ast.Pass(lineno=node.lineno, col_offset=node.col_offset))
        for name in _BODIES:
            nodes += getattr(node, name, ())


_DESCRIBED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
#: Where nodes have further statements, or what has some.
_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")
