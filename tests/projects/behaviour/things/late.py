"""Imported by no module, only by a view."""

ANSWER = "imported late"
