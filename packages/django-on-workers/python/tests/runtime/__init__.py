"""What the runtime's Python can show without its interpreter."""

from .. import db  # noqa: F401 - puts stand-ins in the place of modules that only the runtime has
