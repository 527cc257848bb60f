"""
What of the package can be tested on any Python.

It imports Pyodide's bindings to JavaScript, which nothing here uses: empty
modules stand in for them outside workerd.
"""

import importlib.util
import sys
from types import ModuleType

if importlib.util.find_spec("pyodide") is None:
    for name in ("pyodide", "pyodide.ffi", "_django_on_workers", "_django_on_workers_calls"):
        sys.modules.setdefault(name, ModuleType(name))
    sys.modules["pyodide.ffi"].run_sync = None
