"""Waits while it is imported."""

import time

time.sleep(0.05)
WHOLE = True
