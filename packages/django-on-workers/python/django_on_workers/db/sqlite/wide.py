"""
Results of more columns than the platform's 100.

The columns beyond are selected as one: JSON of their SQL literals, which
``quote()`` writes exactly whatever their type.
"""

import json

MAX_COLUMNS = 100

#: Arguments of a function; 127 is the platform's limit.
GROUP = 100


def pack(select: list) -> list:
    """Return a compiler's select list with its last columns in one."""
    kept, packed = select[: MAX_COLUMNS - 1], select[MAX_COLUMNS - 1 :]
    groups, params = [], []
    for start in range(0, len(packed), GROUP):
        part = packed[start : start + GROUP]
        groups.append("json_array(" + ", ".join(f"quote({sql})" for _, (sql, _), _ in part) + ")")
        params += [param for _, (_, params_of), _ in part for param in params_of]
    expression = packed[0][0]
    return [*kept, (expression, (f"json_array({', '.join(groups)})", tuple(params)), None)]


def unpack(row: tuple) -> tuple:
    """Return a row with the columns that ``pack`` put into its last one."""
    *kept, packed = row
    return (*kept, *(value(text) for group in json.loads(packed) for text in group))


def value(literal: str):
    """Return what SQLite's quote() made this text of."""
    first = literal[0]
    if first == "'":
        return literal[1:-1].replace("''", "'")
    if first == "X":
        return bytes.fromhex(literal[2:-1])
    if literal == "NULL":
        return None
    try:
        return int(literal)
    except ValueError:
        return float(literal)
