"""Bytecode as the build makes it."""

import importlib.util
import json
import tempfile
import unittest
from pathlib import Path

from django_on_workers.build.compile import compile_tree

SOURCE = '''"""Of the module."""

class Thing:
    """Of the class."""

def only():
    """Of the function."""
'''


class CompileTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def compile(self, **files):
        for name, source in files.items():
            path = self.folder / "root" / name / "__init__.py"
            path.parent.mkdir(parents=True)
            path.write_text(source)
        config = {
            "root": str(self.folder / "root"),
            "out": str(self.folder / "out"),
            "without_docstrings": ["terse"],
        }
        return json.loads(compile_tree(json.dumps(config)))["failed"]

    def load(self, name):
        [path] = (self.folder / "out" / name).rglob("__init__.*.pyc")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def test_docstrings_are_left_out_where_nothing_reads_them(self):
        self.assertEqual(self.compile(terse=SOURCE, talkative=SOURCE), [])
        terse, talkative = self.load("terse"), self.load("talkative")
        self.assertEqual(
            [terse.__doc__, terse.Thing.__doc__, terse.only.__doc__], [None, None, None]
        )
        self.assertIsNone(terse.only())
        self.assertEqual(talkative.__doc__, "Of the module.")
        self.assertEqual(talkative.Thing.__doc__, "Of the class.")
        self.assertEqual(talkative.only.__doc__, "Of the function.")

    def test_what_is_not_valid_python_is_told_and_the_rest_compiled(self):
        [[path, message]] = self.compile(wrong="a b", right="a = 1")
        self.assertEqual(
            (path, message),
            (str(self.folder / "root/wrong/__init__.py"), "invalid syntax (__init__.py, line 1)"),
        )
        self.assertEqual(self.load("right").a, 1)
