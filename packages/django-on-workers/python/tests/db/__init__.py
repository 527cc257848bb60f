"""Tests of the database backends."""
