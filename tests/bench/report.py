#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tables of one run, in Markdown, and the picture of how it scales, as SVG."""

import argparse
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys


def read(paths):
    """{(series, number of domains): a list of samples for each run}, {series: unit}"""
    samples, units = {}, {}
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                name, domains, unit, *values = line.rstrip("\n").split("\t")
                units[name] = unit
                samples.setdefault((name, int(domains)), []).append([float(value) for value in values])
    return samples, units


# Waits of the loop in a minute that has one reconciliation: its timer, and the answer.
IDLE_LOOP = 4


class Run:
    """The samples of some runs, or of one of them."""

    def __init__(self, samples, units, main, number=None):
        self.samples = samples
        self.units = units
        self.main = main
        self.number = number
        self.sizes = sorted({domains for _, domains in samples})

    def runs(self):
        """Each by itself."""
        for number in range(max(map(len, self.samples.values()), default=0)):
            yield Run(self.samples, self.units, self.main, number)

    def of_runs(self, name, domains=None):
        """A list for each run that has measured it."""
        lists = self.samples.get((name, domains or self.main), [])
        return lists if self.number is None else lists[self.number:self.number + 1]

    def values(self, name, domains=None):
        return [value for run in self.of_runs(name, domains) for value in run]

    def median(self, name, domains=None):
        values = self.values(name, domains)
        return statistics.median(values) if values else math.nan

    def p95(self, name, domains=None):
        values = sorted(self.values(name, domains))
        return values[math.ceil(0.95 * len(values)) - 1] if values else math.nan

    def medians(self, name, domains=None):
        return [statistics.median(values) for values in self.of_runs(name, domains) if values]


def figure(value, unit="ms"):
    if math.isnan(value):
        return "–"
    if unit == "ms" and abs(value) < 1:
        return f"{value * 1000:.0f} µs"
    if abs(value) < 10:
        return f"{value:.2f} {unit}"
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:.1f} {unit}"


def ratio(a, b):
    return a / b if b else math.nan


def times(value, digits=2):
    return "–" if math.isnan(value) else f"{value:.{digits if value < 100 else 0}f} ×"


def spread(values, show):
    """From where to where."""
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return "–"
    low, high = show(min(values)), show(max(values))
    return low if low == high else f"{low} to {high}"


def verdict(value, reached):
    return "–" if math.isnan(value) else "yes" if reached else "**no**"


class Row:
    """
    A line of the first table: the service's series; a ratio, of a Run; what is wanted, in words and
    of the ratio, or of the series where there is no ratio.
    """

    HEAD = ("", "service, p50", "p95", "p50 of the runs", "beside it, p50", "ratio",
            "ratio of the runs", "wanted", "reached")

    def __init__(self, what, series, beside="", value=None, wanted="", reached=None, domains=None,
                 show=times):
        self.what, self.series, self.beside, self.value = what, series, beside, value
        self.wanted, self.reached, self.domains, self.show = wanted, reached, domains, show

    def cells(self, run):
        unit = run.units.get(self.series, "ms")
        ours = run.median(self.series, self.domains)
        value = self.value(run) if self.value else math.nan
        judged = value if self.value else ours
        return (self.what, figure(ours, unit), figure(run.p95(self.series, self.domains), unit),
                spread(run.medians(self.series, self.domains), lambda v: figure(v, unit)),
                self.beside, self.show(value) if self.value else "",
                spread(map(self.value, run.runs()), self.show) if self.value else "",
                self.wanted,
                verdict(judged, self.reached(judged)) if self.reached else "–")


def beside(run, *pairs):
    """Words and series in turns: "words figure, …"."""
    words = zip(pairs[::2], pairs[1::2])
    return ", ".join(f"{word} {figure(run.median(name), run.units.get(name, 'ms'))}".strip()
                     for word, name in words)


def over(ours, *peers):
    """The ratio of a series to the sum of others."""
    return lambda run: ratio(run.median(ours), sum(run.median(peer) for peer in peers))


def at_most(run, what, ours, peer, limit, peers=None):
    return Row(what, ours, peers or beside(run, "floor", peer), over(ours, peer), f"≤ {limit} ×",
               lambda value: value <= limit)


def reads(run):
    yield Row("`GetManagedObjects`", "objects",
              beside(run, "libvirt-dbus, 16 in flight", "objects-peer-16", "one by one",
                     "objects-peer-1"),
              lambda r: ratio(min(r.median("objects-peer-16"), r.median("objects-peer-1")),
                              r.median("objects")),
              "≥ 75 ×", lambda value: value >= 75, show=lambda v: times(v, 0) + " faster")
    yield Row("… on dbus-broker", "objects-broker",
              beside(run, "on dbus-daemon, in turns,", "objects-daemon"),
              over("objects-broker", "objects-daemon"))
    yield at_most(run, "one property", "get", "ping", 1.25,
                  beside(run, "own `Ping`", "ping", "libvirt-dbus", "get-peer", "its `Ping`",
                         "ping-peer"))
    yield at_most(run, "`ListDomains`", "list", "list-floor", 1.6,
                  beside(run, "floor", "list-floor", "names and states alone", "list-floor-names",
                         "virsh", "list-virsh"))


def grown(series):
    return lambda run: ratio(run.median(series, 10000), run.median(series, 1000))


def connection(run):
    yield at_most(run, "connect to last `InterfacesAdded`", "connect-added", "connect-floor", 1.5)
    yield at_most(run, "… to the last signal of what the XML says", "connect-all", "connect-floor",
                  1.5)
    yield at_most(run, "… to `Available`", "connect-available", "connect-floor-bulk", 1.5)
    for series, what in (("connect-added", "last `InterfacesAdded`"),
                         ("connect-all", "last signal")):
        yield Row(f"… 10,000 domains against 1,000, to the {what}", series,
                  f"1,000: {figure(run.median(series, 1000))}", grown(series), "≤ 11 ×",
                  lambda value: value <= 11, domains=10000)


def events(run):
    peers = ("libvirt-dbus", "event-peer", "the bench's own callback", "event-floor", "round trip",
             "round-trip")
    yield Row("event, from its cause to `PropertiesChanged`", "event", beside(run, *peers),
              over("event", "event-peer", "round-trip"), "≤ sum of libvirt-dbus and round trip",
              lambda value: value <= 1)
    yield Row("… later than libvirt-dbus, of the same event", "event-difference",
              beside(run, "round trip", "round-trip"), over("event-difference", "round-trip"),
              "≤ 1 round trip", lambda value: value <= 1)
    yield Row("… while the one before is still read", "event-busy",
              beside(run, "libvirt-dbus", "event-busy-peer", "the bench's own callback",
                     "event-busy-floor"),
              over("event-busy", "event-busy-peer", "round-trip"))
    yield Row("availability transition, all objects", "transition",
              beside(run, "`GetManagedObjects`", "objects"), over("transition", "objects"),
              "≤ 5 ×", lambda value: value <= 5)
    yield Row("recovery after libvirtd answers", "recovery",
              beside(run, "libvirt-dbus: at the next call,", "recovery-peer"),
              wanted="≤ 100 ms", reached=lambda value: value <= 100)
    for what, series in (("one property while libvirtd is frozen", "get"),
                         ("… `GetManagedObjects`", "objects")):
        peer = ("libvirt-dbus", "frozen-get-peer") if series == "get" else ()
        yield Row(what, f"frozen-{series}", beside(run, "not frozen", f"thawed-{series}", *peer),
                  over(f"frozen-{series}", f"thawed-{series}"), "as fast (≤ 1.25 ×)",
                  lambda value: value <= 1.25)


def resources(run):
    m = run.median
    yield Row("private memory", "memory", beside(run, "libvirt-dbus", "memory-peer"),
              over("memory", "memory-peer"), "≤ 1 ×", lambda value: value <= 1)
    yield Row("… more than before what a dashboard shows", "memory",
              beside(run, "before", "memory-before"),
              lambda r: r.median("memory") - r.median("memory-before"), "≤ 3 MB more",
              lambda value: value <= 3, show=lambda value: figure(value, "MB"))
    yield Row("idle, waits a minute", "idle",
              beside(run, "loop", "idle-loop", "libvirt's events", "idle-events", "lanes",
                     "idle-lanes"),
              wanted="keepalive and reconciliation",
              reached=lambda value: m("idle-loop") <= IDLE_LOOP)
    yield at_most(run, "a tick of Usage, CPU time with libvirtd's", "usage-tick", "usage-floor",
                  1.3)
    yield at_most(run, "… against `GetStats` on each domain", "usage-tick", "usage-peer", 0.1,
                  beside(run, "libvirt-dbus", "usage-peer"))
    yield Row("… a second subscriber more", "usage-second", wanted="one message")
    yield Row("idle while a tenth run, waits a minute", "rest-waits", wanted="nothing for Usage")
    yield Row("… of the agent in a guest", "idle-agent", wanted="one question a minute")
    yield Row("CPU time by itself, a tenth of 1,000 run", "rest-cpu", wanted="≤ 1 %",
              reached=lambda value: value <= 1)
    yield Row("`Stop` replies after libvirt's event", "stop", wanted="≤ 10 ms",
              reached=lambda value: value <= 10)


def markdown(head, lines):
    lines = (head, ["---"] * len(head), *lines)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def rows(run):
    for part in (reads, connection, events, resources):
        yield from part(run)


def is_measured(row, run):
    return run.values(row.series, row.domains) and not (row.value and math.isnan(row.value(run)))


def table(run):
    return markdown(Row.HEAD, (row.cells(run) for row in rows(run) if is_measured(row, run)))


def scaling(run):
    """How it grows: p50, and p95 behind it."""
    names = ("objects", "objects-cpu", "list-floor", "list", "connect-floor-bulk",
             "connect-available", "connect-available-cpu", "connect-available-bus-cpu",
             "connect-added", "connect-floor", "connect-all", "connect-cpu", "memory",
             "memory-anonymous", "memory-peer", "memory-peer-anonymous")

    def cell(name, size):
        unit = run.units.get(name, "ms")
        return f"{figure(run.median(name, size), unit)}, {figure(run.p95(name, size), unit)}"

    return markdown(["p50, p95 of domains:"] + [f"{size:,}" for size in run.sizes],
                    ([name] + [cell(name, size) for size in run.sizes] for name in names
                     if any(run.values(name, size) for size in run.sizes)))


STAGES = (
    ("stage-callback", "until libvirt calls the service"),
    ("stage-loop", "until its loop has the event"),
    ("stage-read", "until a lane begins to read the state"),
    ("stage-answer", "that read: a round trip, and looking the domain up"),
    ("stage-apply", "until the loop has the answer"),
    ("stage-signal", "until the signal is made"),
    ("stage-client", "until the client has it"),
    ("stages", "the whole"),
    ("stages-peer", "libvirt-dbus, the whole of the same event"),
)
MAPPINGS = (
    ("anonymous", "heap and other anonymous memory"),
    ("program", "the program itself"),
    ("crypto", "libcrypto"),
    ("libvirt", "libvirt"),
    ("others", "other libraries and files"),
)


def figures(run, name, domains=None):
    """p50, p95 and from where to where the medians of the runs go."""
    unit = run.units.get(name, "ms")
    return (figure(run.median(name, domains), unit), figure(run.p95(name, domains), unit),
            spread(run.medians(name, domains), lambda value: figure(value, unit)))


def stages(run):
    """Where the time of an event goes, with probes in the service."""
    if not run.values("stages"):
        return ""
    return markdown(("an event at rest, by stage", "p50", "p95", "p50 of the runs"),
                    ((what, *figures(run, name)) for name, what in STAGES))


def mappings(run):
    """Of which mappings private memory is."""
    def cells(kind, what):
        names = f"memory-{kind}", f"memory-peer-{kind}"
        more = run.median(names[0]) - run.median(names[1])
        return (what, *figures(run, names[0]), *figures(run, names[1]), figure(more, "MB"))

    if not run.values("memory-anonymous"):
        return ""
    return markdown(("private memory, by mapping", "service, p50", "p95", "p50 of the runs",
                     "libvirt-dbus, p50", "p95", "p50 of the runs", "more"),
                    (cells(*mapping) for mapping in MAPPINGS))


def distribution(run):
    """All samples of each series, and from where to where the medians of the runs go."""
    def cells(name, domains):
        return (name, f"{domains:,}", *figures(run, name, domains),
                str(len(run.medians(name, domains))), str(len(run.values(name, domains))))

    return markdown(("series", "domains", "p50", "p95", "p50 of the runs", "runs", "samples"),
                    (cells(*key) for key in run.samples if run.values(*key)))


# Differences of two figures, either of which may be the greater one.
SIGNED = {"event-difference", "event-busy-difference", "usage-second", "usage-tick"}


def unsound(run):
    """Whether something took less than no time."""
    below = {}
    for name, domains in run.samples:
        n = sum(value < 0 for value in run.values(name, domains))
        if n and name not in SIGNED:
            below[name] = below.get(name, 0) + n
    if not below:
        return "No sample is below 0."
    return "**Not sound, samples below 0: " + ", ".join(
        f"{n} of {name}" for name, n in below.items()) + ".**"


# --- the picture ---------------------------------------------------------------------------------

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 860, 520, 80, 40, 250, 60
LINES = (
    ("objects", "GetManagedObjects", "#0b6e4f", ""),
    ("list", "ListDomains", "#c8553d", ""),
    ("list-floor", "the same from libvirt: floor", "#c8553d", "6 4"),
    ("connect-available", "connect to Available", "#2d5da1", ""),
    ("connect-floor-bulk", "the same: floor", "#2d5da1", "6 4"),
    ("connect-all", "connect to the last signal", "#6b3fa0", ""),
    ("connect-floor", "the same: floor", "#6b3fa0", "6 4"),
)


class Axes:
    """Both axes are logarithmic."""

    def __init__(self, sizes, values):
        self.x0, self.x1 = math.log10(sizes[0]), math.log10(sizes[-1])
        self.y0 = math.floor(math.log10(min(values)))
        self.y1 = math.ceil(math.log10(max(values)))
        self.y1 = max(self.y1, self.y0 + 1)

    def x(self, size):
        span = self.x1 - self.x0 or 1
        return LEFT + (math.log10(size) - self.x0) / span * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        share = (math.log10(value) - self.y0) / (self.y1 - self.y0)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def text(x, y, words, anchor="start", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{words}</text>'


def line(x0, y0, x1, y1, colour, dash=""):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" '
            f'stroke="{colour}"{dashes}/>')


def frame(axes, sizes):
    yield text(LEFT, TOP - 16, "Time against number of domains (medians, both axes logarithmic)",
               more=' font-weight="bold"')
    for size in sizes:
        yield line(axes.x(size), TOP, axes.x(size), HEIGHT - BOTTOM, "#ddd")
        yield text(axes.x(size), HEIGHT - BOTTOM + 20, f"{size:,}", "middle")
    for exponent in range(axes.y0, axes.y1 + 1):
        y = axes.y(10 ** exponent)
        yield line(LEFT, y, WIDTH - RIGHT, y, "#ddd")
        yield text(LEFT - 8, y + 4, f"{10 ** exponent:g} ms", "end")
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "domains", "middle")


def curve(axes, points, colour, dash):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    path = " ".join(f"{axes.x(size):.1f},{axes.y(value):.1f}" for size, value in points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'
    for size, value in points:
        yield f'<circle cx="{axes.x(size):.1f}" cy="{axes.y(value):.1f}" r="3" fill="{colour}"/>'


def picture(run):
    curves = []
    for name, label, colour, dash in LINES:
        points = [(size, run.median(name, size)) for size in run.sizes]
        curves.append((label, colour, dash, [p for p in points if not math.isnan(p[1])]))
    if not any(points for *_, points in curves):
        return None
    axes = Axes(run.sizes, [value for *_, points in curves for _, value in points])
    parts = list(frame(axes, run.sizes))
    for place, (label, colour, dash, points) in enumerate(curves):
        y = TOP + 20 + 24 * place
        parts += curve(axes, points, colour, dash)
        parts += [line(WIDTH - RIGHT + 20, y - 4, WIDTH - RIGHT + 50, y - 4, colour, dash),
                  text(WIDTH - RIGHT + 58, y, label)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" '
            f'fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


def replace_section(document, text):
    """What is between the two marks of the document."""
    with open(document, encoding="utf-8") as file:
        words = file.read()
    words, n = re.subn(r"(<!-- run -->\n).*(\n<!-- end of run -->)",
                       lambda found: found[1] + text + found[2], words, flags=re.DOTALL)
    if n != 1:
        raise SystemExit(f"{document} has no place for the run")
    with open(document, "w", encoding="utf-8") as file:
        file.write(words)


def described_build(program):
    """The compiler, as the program has it, and the build type, as Meson tells."""
    comment = subprocess.run(["readelf", "-p", ".comment", program], capture_output=True,
                             text=True, check=True).stdout
    compiler = ", ".join(re.findall(r"\]\s+(.*)", comment))
    known = pathlib.Path(program).parents[1] / "meson-info/intro-buildoptions.json"
    if not known.exists():
        return compiler
    options = {option["name"]: option["value"] for option in json.loads(known.read_text())}
    return (f"{compiler}, build type {options['buildtype']} (-O{options['optimization']}"
            f"{' -g' if options['debug'] else ''}, link-time optimization "
            f"{'on' if options['b_lto'] else 'off'}, sanitizers: {options['b_sanitize']})")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("main", type=int, help="the number of domains of the first table")
    parser.add_argument("samples", nargs="+", help="what the bench has written, a file for each run")
    parser.add_argument("--facts", default="", help="a line about the run")
    parser.add_argument("--program", help="what was measured, in its build directory")
    parser.add_argument("--picture", help="where to write it")
    parser.add_argument("--document", help="a file to put the tables into")
    args = parser.parse_args()
    run = Run(*read(args.samples), args.main)
    build = f"The service: {described_build(args.program)}." if args.program else ""
    text = "\n\n".join(filter(None, (args.facts, build, unsound(run), table(run), stages(run),
                                   mappings(run), scaling(run), distribution(run))))
    print(text)
    if args.document:
        replace_section(args.document, text)
    drawn = picture(run) if args.picture else None
    if drawn:
        with open(args.picture, "w", encoding="utf-8") as file:
            file.write(drawn)


main()
