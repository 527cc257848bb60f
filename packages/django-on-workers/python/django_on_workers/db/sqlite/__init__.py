"""SQLite as Workers offer it: what the Durable Object and D1 backends share."""
