"""Django's database backend for a Durable Object's SQLite."""
