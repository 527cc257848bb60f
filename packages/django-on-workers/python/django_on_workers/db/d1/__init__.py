"""Django's database backend for D1."""
