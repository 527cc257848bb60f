"""What the runtime's Python can show without its interpreter."""
