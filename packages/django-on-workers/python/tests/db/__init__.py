"""
Tests of the database backends, on any Python.

The package imports Pyodide's bindings to JavaScript; nothing of the backends
uses them, so empty modules stand in for them outside workerd.
"""

import importlib.util
import sys
from types import ModuleType

if importlib.util.find_spec("pyodide") is None:
    for name in ("pyodide", "pyodide.ffi", "_django_on_workers"):
        sys.modules.setdefault(name, ModuleType(name))
    sys.modules["pyodide.ffi"].run_sync = None
