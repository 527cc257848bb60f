"""What programs do besides answering requests: so that the functions behind it are taken for common ones, too."""

import collections
import csv
import dataclasses
import datetime
import enum
import functools
import heapq
import io
import itertools
import json
import math
import re
import statistics
import string


def numbers():
    total = 0.5
    for n in range(-200, 200):
        total += n * 1.25 - n / 7 + n % 3.5 + abs(n) ** 0.5 + round(n / 3, 2) + float(n // 3)
        total -= max(n, 0.0) if total > n else min(-n, 2.5)
    bits = 1
    for n in range(1, 400):
        bits = ((bits << 5) ^ (n * n)) & 0xFFFFFF | n >> 1
        bits += ~n + divmod(bits, n)[1] - n**2 + int(total)
    large = 3
    for n in range(60):
        large = (large * large + n) % (1 << 400) - (large // (n + 7) >> 3)
    return [total, bits, large, str(large), math.floor(total), math.sin(total), total.is_integer()]


def words():
    lines = []
    for n in range(60):
        line = f"{n:05d} {n / 7:8.3f} {n!r:>4} {n:x} {n * 1e9:,.2f} {'é' * (n % 3)}|%s|%5.1f" % (
            n,
            n,
        )
        line += "{:<6}{name}".format(n, name=string.ascii_letters[n % 50 :])  # noqa: UP032
        parts = line.strip("|").replace(" ", "_", 3).split("_")
        lines.append("-".join(reversed(parts)).upper().casefold().title()[::-1].partition("|")[2])
        lines.append(
            line.encode().hex()[:20] + bytes(line, "latin-1", "replace").decode("ascii", "ignore")
        )
    text = "\n".join(lines)
    pattern = re.compile(r"(?P<word>[^\W\d_]+)|(\d+)(?:[.,]\d+)*|\s{2,}", re.IGNORECASE)
    found = [match.lastgroup for match in pattern.finditer(text)]
    return [
        text.count("a"),
        text.find("zz"),
        len(found),
        re.sub(r"(\w)\1", r"<\1>", text)[:9],
        text.isalnum(),
    ]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: float = 2.0
    names: list = dataclasses.field(default_factory=list, compare=False)

    @property
    def length(self):
        return math.hypot(self.x, self.y)

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)


def generated(count):
    try:
        for n in range(count):
            asked = yield n
            if asked:
                yield from range(asked)
    finally:
        count = None


def control():
    total = 0
    for n in range(40):
        try:
            with io.StringIO() as stream:
                print(n, end="", file=stream)
                if n % 5 == 0:
                    raise ValueError(n) from KeyError(n)
                total += sum(value * 2 for value in generated(n) if value % 3)
        except (ValueError, TypeError) as error:
            total += error.args[0]
        else:
            total -= 1
        finally:
            total += len(f"{total}")
        match (n % 4, Colour.RED if n % 2 else Colour.BLUE, {"n": n}):
            case (0, _, {"n": value}) if value > 3:
                total += value
            case (1 | 2, Colour.RED, _):
                total += 1
            case [*_, dict()]:
                total += 2
    generator = generated(3)
    next(generator)
    total += generator.send(2)
    generator.close()

    def recursive(n):
        nonlocal total
        total += 1
        return n if n < 2 else recursive(n - 1) + recursive(n - 2)

    points = sorted([Point(n % 7, n / 3) for n in range(30)], reverse=True)
    moved = functools.reduce(lambda left, right: left + right, points)
    return [total, recursive(9), moved.length, points[0] < points[1], dataclasses.asdict(moved)]


def containers():
    found = collections.Counter("abracadabra")
    queue = collections.deque(range(50), 20)
    queue.rotate(3)
    heap = list(range(50, 0, -1))
    heapq.heapify(heap)
    sets = {n * 2 for n in range(40)} ^ set(range(20, 60)) - frozenset({21, 22}) | {*"abc"}
    groups = collections.defaultdict(list)
    for n in itertools.chain(range(30), itertools.islice(itertools.count(5), 10)):
        groups[n % 7].append(n)
    listed = [*range(60), *groups]
    listed[10:20] = listed[5:50:3]
    del listed[3:9:2]
    listed.insert(4, 99)
    listed.extend(itertools.permutations(range(3)))
    named = collections.namedtuple("named", "a b")(1, 2)._replace(a=3)
    merged = {**dict(zip("abc", range(3), strict=True)), "d": named} | {"e": [*map(str, named)]}
    merged.pop("a")
    merged.setdefault("f", heapq.heappop(heap))
    ordered = sorted(merged, key=lambda key: key)
    return [found.most_common(2), len(sets), queue[0], ordered, statistics.mean(range(9))]


def formats():
    data = {"a": [1.5, -2, None, True, 'é\n"\\'] * 10, "b": {str(n): n * 1e10 for n in range(30)}}
    text = json.dumps(data, indent=2) + json.dumps(data, sort_keys=True, ensure_ascii=False)
    loaded = json.loads(json.dumps([data, "\u00e9\\", 12.5e-7, [], {}]))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, ["a", "b"])
    writer.writeheader()
    writer.writerows({"a": n, "b": f'text "{n}", more'} for n in range(30))
    rows = list(csv.reader(io.StringIO(stream.getvalue())))
    return [len(text), len(loaded), rows[3]]


def times():
    moment = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
    texts = []
    for n in range(40):
        moment += datetime.timedelta(hours=7, seconds=n, microseconds=n)
        read = datetime.datetime.fromisoformat(moment.isoformat())
        texts.append(
            f"{read:%Y-%m-%d %H:%M} {read - moment} {read.date() - datetime.date(2025, 2, 3)}"
        )
        there = read.astimezone(datetime.timezone(datetime.timedelta(hours=2)))
        texts.append(there.strftime("%d %b") + str(there.timetuple().tm_yday))
    read = datetime.datetime.strptime("2026-03-04 05:06", "%Y-%m-%d %H:%M")
    return [texts[-1], read.timestamp()]


def work():
    """Do it all, and say what came of it."""
    return [part() for part in (numbers, words, control, containers, formats, times)]
