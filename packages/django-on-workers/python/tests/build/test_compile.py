"""Bytecode as the build makes it."""

import asyncio
import importlib.util
import json
import tempfile
import unittest
import warnings
from pathlib import Path

import django

from django_on_workers.build.compile import compile_tree
from django_on_workers.build.positions import without_columns

SOURCE = '''"""Of the module."""

class Thing:
    """Of the class."""

def only():
    """Of the function."""
'''


class CompileTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def compile(self, own=True, **files):
        for name, source in files.items():
            path = self.folder / "root" / name / "__init__.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        config = {
            "root": str(self.folder / "root"),
            "out": str(self.folder / "out"),
            "without_docstrings": "terse/(?!templatetags/)",
            "own": own,
        }
        return json.loads(compile_tree(json.dumps(config)))["failed"]

    def load(self, name):
        [path] = (self.folder / "out" / name / "__pycache__").iterdir()
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def test_docstrings_are_left_out_where_nothing_reads_them(self):
        sources = dict.fromkeys(["terse", "terse/templatetags", "talkative"], SOURCE)
        self.assertEqual(self.compile(**sources), [])
        terse = self.load("terse")
        self.assertEqual(
            [terse.__doc__, terse.Thing.__doc__, terse.only.__doc__], [None, None, None]
        )
        self.assertIsNone(terse.only())
        for name in ("terse/templatetags", "talkative"):
            with self.subTest(name):
                module = self.load(name)
                self.assertEqual(module.__doc__, "Of the module.")
                self.assertEqual(module.Thing.__doc__, "Of the class.")
                self.assertEqual(module.only.__doc__, "Of the function.")

    def test_what_is_not_valid_python_is_told_and_the_rest_compiled(self):
        [[path, message]] = self.compile(wrong="a b", right="a = 1")
        self.assertEqual(
            (path, message),
            (str(self.folder / "root/wrong/__init__.py"), "invalid syntax (__init__.py, line 1)"),
        )
        self.assertEqual(self.load("right").a, 1)

    def test_warnings_are_told_of_the_projects_own_files(self):
        for own, count in ((True, 1), (False, 0)):
            with self.subTest(own=own), warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                self.compile(own, odd="A = 1 is 1\n")
                self.assertEqual(len(told), count)

    def test_columns_are_left_out_of_packages(self):
        source = "def fails():\n    return (1 +\n            None)\n"
        positions = []
        for own, name in ((True, "with_them"), (False, "without")):
            self.assertEqual(self.compile(own, **{name: source}), [])
            positions.append(list(self.load(name).fails.__code__.co_positions()))
        self.assertTrue(any(start is not None for _, _, start, _ in positions[0]))
        self.assertEqual({(start, end) for _, _, start, end in positions[1]}, {(None, None)})
        self.assertEqual(*[[line for line, *_ in found] for found in positions])


class WithoutColumnsTests(unittest.TestCase):
    def test_every_line_of_the_standard_library_and_django_stays(self):
        folders = [Path(asyncio.__file__).parent, Path(django.__file__).parent / "db"]
        tried = 0
        for path in [path for folder in folders for path in folder.rglob("*.py")]:
            code = compile(path.read_bytes(), str(path), "exec")
            for before, after in zip(parts(code), parts(without_columns(code)), strict=True):
                tried += 1
                self.assertEqual(lines(before), lines(after), f"{path}: {before.co_name}")
                self.assertEqual(before.co_code, after.co_code)
                self.assertLessEqual(len(after.co_linetable), len(before.co_linetable))
        self.assertGreater(tried, 2000)

    def test_lines_far_apart_and_instructions_without_a_line(self):
        body = "\n" * 5000
        source = f"def f(a):{body}    with a:{body}        g(); h()\n    return [x for x in a]\n"
        [code] = [part for part in parts(compile(source, "f", "exec")) if part.co_name == "f"]
        self.assertIn(None, lines(code))
        self.assertEqual(lines(code), lines(without_columns(code)))


def parts(code):
    yield code
    for constant in code.co_consts:
        if hasattr(constant, "co_consts"):
            yield from parts(constant)


def lines(code):
    """The line of each code unit."""
    return [line for start, end, line in code.co_lines() for _ in range(start, end, 2)]
