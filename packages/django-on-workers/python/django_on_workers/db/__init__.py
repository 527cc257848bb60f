"""Database backends that Django loads by dotted path in ``DATABASES[...]["ENGINE"]``."""
