"""Which modules ask for the time when they are imported: in an image that would be the time of the build."""

import dis
from inspect import CO_OPTIMIZED
from types import CodeType

__all__ = ["asks_for_time"]

#: Calls of methods and functions of ``datetime``, ``time`` and ``django.utils.timezone``. A ``time()`` that is given
#: something is a time of the day.
_NAMES = """
gmtime localdate localtime monotonic now perf_counter time time_ns today utcnow
""".split()
#: Of these, those that may be given something: a time zone.
_WITH_ARGUMENTS = {"now"}


def asks_for_time(code: CodeType) -> bool:
    """Whether the code of a module, outside its functions, calls something that tells the time."""
    asking, called = "", False
    for instruction in dis.get_instructions(code):
        if instruction.opname == "PUSH_NULL":
            called = bool(asking)
        elif instruction.opname == "CALL" and instruction.arg == 0 and called:
            return True
        else:
            is_name = instruction.opname in ("LOAD_ATTR", "LOAD_NAME", "LOAD_GLOBAL")
            asking = instruction.argval if is_name and instruction.argval in _NAMES else ""
            # Of an imported module functions are called as any other.
            called = (
                bool(asking) and instruction.opname == "LOAD_ATTR" and bool(instruction.arg & 1)
            )
        if called and asking in _WITH_ARGUMENTS:
            return True
    bodies = (each for each in code.co_consts if isinstance(each, CodeType))
    # A class's is run with the module; a function's is not.
    return any(asks_for_time(body) for body in bodies if not body.co_flags & CO_OPTIMIZED)
