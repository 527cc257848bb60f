"""Runs a folder's unittest tests and writes the totals as JSON, for who adds them up.

Usage: python_tests.py FOLDER OUTPUT
"""

import json
import sys
import unittest

folder, output = sys.argv[1:]
sys.path.insert(0, folder)
suite = unittest.defaultTestLoader.discover(f"{folder}/tests", top_level_dir=folder)
result = unittest.TextTestRunner().run(suite)
for test, reason in result.skipped:
    print(f"skipped: {test}: {reason}", file=sys.stderr)
failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
skipped = len(result.skipped)
counts = {"passed": result.testsRun - failed - skipped, "failed": failed, "skipped": skipped}
with open(output, "w") as file:
    json.dump(counts, file)
sys.exit(failed > 0)
