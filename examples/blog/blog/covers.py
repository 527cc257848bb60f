"""Cover art, drawn as SVG from nothing but a post's slug and its choice of motif.

The same slug always gives the same picture, so covers need neither uploads nor storage. Only
flat shapes are used: no ids and no gradients, since many covers share a page.
"""

import math
import random
from functools import lru_cache

from django.utils.safestring import mark_safe

WIDTH, HEIGHT = 480, 300

# Background, then the colours of the shapes from far to near (or from large to small).
PALETTES = [
    ("#f3e4cf", "#e8b98a", "#d08159", "#8f4b3a", "#4b2a2b"),  # terracotta
    ("#e3ecdf", "#b5cfa8", "#7fa878", "#48755a", "#24463c"),  # moss
    ("#dfeaf0", "#a9c8d8", "#6b9cb8", "#3b6a8c", "#1f3f5c"),  # lake
    ("#f6e9c9", "#f0c667", "#dd9a3c", "#a8642d", "#5c3a24"),  # honey
    ("#ece4ee", "#cbb3d4", "#9c7fb0", "#6a5186", "#3c3157"),  # heather
    ("#f7e1dc", "#efb0a2", "#d97b72", "#a34a56", "#5a2b42"),  # rhubarb
    ("#e2ece9", "#9fcfc1", "#57a597", "#2c7571", "#17454b"),  # spruce
    ("#efe9df", "#d3c4a8", "#a99a78", "#6f6a54", "#3a3d36"),  # linen
]
SUNS = ["#f7c65b", "#ef8e5b", "#fdf3dc", "#e86a58"]


def circle(x, y, radius, fill):
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.0f}" fill="{fill}"/>'


def path(data, fill):
    return f'<path d="{data}" fill="{fill}"/>'


def hills(rnd, colours):
    """Ridges under a low sun."""
    yield circle(rnd.uniform(110, 370), rnd.uniform(70, 120), rnd.uniform(30, 48), rnd.choice(SUNS))
    for layer, colour in enumerate(colours):
        base = 135 + layer * 42
        points = [base + rnd.uniform(-28, 28) for _ in range(5)]
        data = f"M0 {points[0]:.0f}"
        for i in range(1, 5):
            x0, x1 = (i - 1) * 120, i * 120
            data += f"C{x0 + 60} {points[i - 1]:.0f} {x1 - 60} {points[i]:.0f} {x1} {points[i]:.0f}"
        yield path(f"{data}V{HEIGHT}H0Z", colour)


def leaves(rnd, colours):
    """Stems with pairs of leaves."""
    yield circle(rnd.uniform(90, 390), rnd.uniform(80, 150), rnd.uniform(60, 85), colours[0])
    for stem in range(5):
        x = 48 + stem * 96 + rnd.uniform(-14, 14)
        top = rnd.uniform(50, 150)
        colour = colours[1 + (stem + rnd.randrange(2)) % 3]
        yield path(f"M{x - 1.5:.1f} {HEIGHT}L{x:.0f} {top:.0f}L{x + 1.5:.1f} {HEIGHT}Z", colour)
        data, size = "", 13.0
        y = top
        while y < HEIGHT - 10:
            for side in (-1, 1):
                tip_x, tip_y = x + side * size * 2.6, y - size * 0.9
                data += (
                    f"M{x:.0f} {y + 6:.0f}"
                    f"Q{x + side * size * 0.7:.0f} {y - size * 1.3:.0f} {tip_x:.0f} {tip_y:.0f}"
                    f"Q{x + side * size * 1.9:.0f} {y + size * 0.9:.0f} {x:.0f} {y + 6:.0f}Z"
                )
            y += size * 2
            size = min(size + 1.6, 19)
        yield path(data, colour)


def sector(x, y, radius, start, end, fill):
    """A piece of a round cake, the angles being in turns."""
    points = [
        (x + radius * math.cos(math.tau * turn), y + radius * math.sin(math.tau * turn))
        for turn in (start, end)
    ]
    (x0, y0), (x1, y1) = points
    return path(
        f"M{x:.0f} {y:.0f}L{x0:.1f} {y0:.1f}A{radius:.0f} {radius:.0f} 0 0 1 {x1:.1f} {y1:.1f}Z",
        fill,
    )


def tart(rnd, x, y, radius, crust, filling):
    yield circle(x, y, radius, crust)
    turn, missing = rnd.random(), rnd.randrange(8)
    for piece in range(8):
        if piece != missing:
            start = turn + piece / 8
            yield sector(x, y, radius * 0.84, start + 0.012, start + 0.113, filling)


def peas(rnd, x, y, radius, large, small):
    yield circle(x, y, radius * 0.19, large)
    turn = rnd.random()
    for i in range(6):
        angle = math.tau * (turn + i / 6)
        for distance, colour in ((0.42, small if i % 2 else large), (0.8, large)):
            yield circle(
                x + radius * distance * math.cos(angle + distance * 1.2),
                y + radius * distance * math.sin(angle + distance * 1.2),
                radius * 0.17,
                colour,
            )


def herb(rnd, x, y, radius, dark, light):
    for turn in (rnd.uniform(0.05, 0.2), rnd.uniform(0.3, 0.45)):
        dx, dy = math.cos(math.tau * turn) * radius, math.sin(math.tau * turn) * radius
        for bend, colour in ((0.62, dark), (-0.62, light)):
            yield path(
                f"M{x - dx:.0f} {y - dy:.0f}"
                f"Q{x - dy * bend:.0f} {y + dx * bend:.0f} {x + dx:.0f} {y + dy:.0f}Z",
                colour,
            )


def soup(rnd, x, y, radius, liquid, cream):
    yield circle(x, y, radius, liquid)
    side = rnd.choice((-1, 1))
    width = radius * 0.62
    yield path(
        f"M{x - width:.0f} {y:.0f}"
        f"C{x - width:.0f} {y - side * width * 1.3:.0f} {x + width:.0f} "
        f"{y - side * width * 1.3:.0f} {x + width:.0f} {y:.0f}"
        f"C{x + width:.0f} {y - side * width * 0.6:.0f} {x - width * 0.4:.0f} "
        f"{y - side * width * 0.7:.0f} {x - width:.0f} {y:.0f}Z",
        cream,
    )


def plates(rnd, colours):
    """A table seen from above."""
    places = [(92, 78, 70), (262, 168, 108), (414, 72, 56), (78, 244, 50), (424, 236, 70)]
    dishes = rnd.sample([tart, peas, herb, soup, rnd.choice([tart, peas])], 5)
    for (x, y, radius), dish in zip(places, dishes, strict=True):
        x, y = x + rnd.uniform(-10, 10), y + rnd.uniform(-8, 8)
        rim, well, first, second = rnd.choice(
            [
                (colours[0], "#fffaf0", colours[2], colours[1]),
                (colours[3], colours[0], colours[2], "#fffaf0"),
                (colours[2], "#fffaf0", colours[3], colours[1]),
                ("#fffaf0", colours[0], colours[3], colours[2]),
            ]
        )
        yield circle(x, y, radius, rim)
        yield circle(x, y, radius * 0.82, well)
        yield from dish(rnd, x, y, radius * 0.6, first, second)


def tiles(rnd, colours):
    """Quarter circles and half circles on a grid."""
    size = 60
    for row in range(HEIGHT // size):
        for column in range(WIDTH // size):
            x, y, kind = column * size, row * size, rnd.randrange(8)
            colour = rnd.choice(colours)
            right, bottom, half = x + size, y + size, size // 2
            if kind == 0:
                yield path(f"M{x} {y}H{right}A{size} {size} 0 0 1 {x} {bottom}Z", colour)
            elif kind == 1:
                yield path(f"M{right} {y}V{bottom}A{size} {size} 0 0 1 {x} {y}Z", colour)
            elif kind == 2:
                yield path(f"M{right} {bottom}H{x}A{size} {size} 0 0 1 {right} {y}Z", colour)
            elif kind == 3:
                yield path(f"M{x} {bottom}V{y}A{size} {size} 0 0 1 {right} {bottom}Z", colour)
            elif kind == 4:
                yield path(f"M{x} {y + half}A{half} {half} 0 0 1 {right} {y + half}Z", colour)
            elif kind == 5:
                yield circle(x + half, y + half, half * 0.62, colour)
            elif kind == 6:
                yield path(f"M{x} {y}H{right}V{bottom}H{x}Z", colour)


def waves(rnd, colours):
    """Water up to the horizon."""
    yield circle(rnd.uniform(120, 360), 118, rnd.uniform(44, 62), rnd.choice(SUNS))
    for layer in range(6):
        y = 118 + layer * 33
        length = 60 + layer * 12
        height = 7 + layer * 2.4
        x = -rnd.uniform(0, length * 2)
        data = f"M{x:.0f} {y}"
        while x < WIDTH:
            data += f"q{length / 2:.0f} {-height * 2:.0f} {length} 0t{length} 0"
            x += length * 2
        yield path(f"{data}V{HEIGHT}H0Z", colours[min(layer * 4 // 6, 3)])


MOTIFS = {"hills": hills, "leaves": leaves, "plates": plates, "tiles": tiles, "waves": waves}


@lru_cache(maxsize=256)
def cover_svg(motif, seed):
    rnd = random.Random(f"{motif}/{seed}")
    background, *colours = rnd.choice(PALETTES)
    shapes = "".join(MOTIFS.get(motif, hills)(rnd, colours))
    # Everything in here is computed from numbers and the colours above.
    return mark_safe(
        f'<svg class="cover" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="xMidYMid slice" '
        f'aria-hidden="true" focusable="false"><path fill="{background}" '
        f'd="M0 0h{WIDTH}v{HEIGHT}H0z"/>{shapes}</svg>'
    )
