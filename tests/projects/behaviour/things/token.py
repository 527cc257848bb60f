"""Reads the environment outside the settings, when it is asked."""

import os


def read():
    return os.environ.get("API_TOKEN", "")
