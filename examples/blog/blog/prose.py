"""The little markup that posts are written in."""

import re

from django.utils.html import escape
from django.utils.safestring import mark_safe

EMPHASIS = re.compile(r"\*(?=\S)(.+?)(?<=\S)\*")
CODE = re.compile(r"`([^`]+)`")


def inline(text):
    text = EMPHASIS.sub(r"<em>\1</em>", escape(text))
    return CODE.sub(r"<code>\1</code>", text)


def render_prose(text):
    """Turn a post's text into HTML. Any HTML in the text itself is escaped."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        lines = [line.rstrip() for line in block.splitlines()]
        if lines and all(line.startswith("- ") for line in lines):
            items = "".join(f"<li>{inline(line[2:])}</li>" for line in lines)
            blocks.append(f"<ul>{items}</ul>")
        elif lines and all(line.startswith("> ") for line in lines):
            quotation = "<br>".join(inline(line[2:]) for line in lines)
            blocks.append(f"<blockquote><p>{quotation}</p></blockquote>")
        elif len(lines) == 1 and lines[0].startswith("## "):
            blocks.append(f"<h2>{inline(lines[0][3:])}</h2>")
        elif lines:
            blocks.append(f"<p>{'<br>'.join(inline(line) for line in lines)}</p>")
    return mark_safe("\n".join(blocks))
