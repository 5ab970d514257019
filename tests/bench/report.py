#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tables of one run, in Markdown, and the picture of how it scales, as SVG."""

import argparse
import math
import re
import statistics
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
    def __init__(self, samples, units, main):
        self.samples = samples
        self.units = units
        self.main = main
        self.sizes = sorted({domains for _, domains in samples})

    def values(self, name, domains=None):
        """Of all runs."""
        return [value for run in self.samples.get((name, domains or self.main), []) for value in run]

    def median(self, name, domains=None):
        values = self.values(name, domains)
        return statistics.median(values) if values else math.nan

    def medians(self, name):
        """Of each run."""
        return [statistics.median(values) for values in self.samples[name, self.main] if values]


def figure(value, unit="ms"):
    if math.isnan(value):
        return "–"
    if unit == "ms" and abs(value) < 1:
        return f"{value * 1000:.0f} µs"
    if abs(value) < 10:
        return f"{value:.2f} {unit}"
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:.1f} {unit}"


def count(value):
    return "–" if math.isnan(value) else f"{value:.0f}"


def ratio(a, b):
    return a / b if b else math.nan


def times(value):
    return "–" if math.isnan(value) else f"{value:.2f} ×" if value < 100 else f"{value:.0f} ×"


def verdict(value, reached):
    return "–" if math.isnan(value) else "yes" if reached else "**no**"


def at_most(run, what, ours, peer, limit, peers=None):
    value = ratio(run.median(ours), run.median(peer))
    yield (what, figure(run.median(ours)), peers or f"floor {figure(run.median(peer))}",
           times(value), f"≤ {limit} ×", verdict(value, value <= limit))


def reads(run):
    m = run.median
    best = min(m("objects-peer-16"), m("objects-peer-1"))
    faster = ratio(best, m("objects"))
    yield ("`GetManagedObjects`", figure(m("objects")),
           f"libvirt-dbus, 16 in flight {figure(m('objects-peer-16'))}, "
           f"one by one {figure(m('objects-peer-1'))}",
           f"{faster:.0f} × faster", "≥ 75 ×", verdict(faster, faster >= 75))
    yield from at_most(run, "one property", "get", "ping", 1.25,
                       f"own `Ping` {figure(m('ping'))}; libvirt-dbus {figure(m('get-peer'))}, "
                       f"its `Ping` {figure(m('ping-peer'))}")
    yield from at_most(run, "`ListDomains`", "list", "list-floor", 1.6,
                       f"floor {figure(m('list-floor'))} (names and states alone "
                       f"{figure(m('list-floor-names'))}); virsh {figure(m('list-virsh'))}")


def connection(run):
    m = run.median
    yield from at_most(run, "connect to last `InterfacesAdded`", "connect-added", "connect-floor",
                       1.5)
    yield from at_most(run, "… to the last signal of what the XML says", "connect-all",
                       "connect-floor", 1.5)
    yield from at_most(run, "… to `Available`", "connect-available", "connect-floor-bulk", 1.5)
    for series, what in (("connect-added", "last `InterfacesAdded`"),
                         ("connect-all", "last signal")):
        value = ratio(m(series, 10000), m(series, 1000))
        if not math.isnan(value):
            yield (f"… 10,000 domains against 1,000, to the {what}", figure(m(series, 10000)),
                   figure(m(series, 1000)), times(value), "≤ 11 ×", verdict(value, value <= 11))


def events(run):
    m = run.median
    limit = m("event-peer") + m("round-trip")
    yield ("event to `PropertiesChanged`", figure(m("event")),
           f"libvirt-dbus {figure(m('event-peer'))}, round trip {figure(m('round-trip'))}",
           times(ratio(m("event"), limit)), "≤ sum of both",
           verdict(m("event"), m("event") <= limit))
    yield ("… while the one before is still read", figure(m("event-busy")),
           f"libvirt-dbus {figure(m('event-busy-peer'))}", times(ratio(m("event-busy"), limit)), "", "–")
    value = ratio(m("transition"), m("objects"))
    yield ("availability transition, all objects", figure(m("transition")),
           f"`GetManagedObjects` {figure(m('objects'))}", times(value), "≤ 5 ×",
           verdict(value, value <= 5))
    yield ("recovery after libvirtd answers", figure(m("recovery")),
           f"libvirt-dbus: at the next call, {figure(m('recovery-peer'))}", "", "≤ 100 ms",
           verdict(m("recovery"), m("recovery") <= 100))
    value = max(ratio(m("frozen-get"), m("thawed-get")),
                ratio(m("frozen-objects"), m("thawed-objects")))
    yield ("reads while libvirtd is frozen",
           f"{figure(m('frozen-get'))}, all {figure(m('frozen-objects'))}",
           f"not frozen {figure(m('thawed-get'))}, all {figure(m('thawed-objects'))}; "
           f"libvirt-dbus {figure(m('frozen-get-peer'))}", times(value), "as fast (≤ 1.25 ×)",
           verdict(value, value <= 1.25))


def resources(run):
    m = run.median
    value = ratio(m("memory"), m("memory-peer"))
    yield ("private memory", figure(m("memory"), "MB"),
           f"libvirt-dbus {figure(m('memory-peer'), 'MB')}", times(value), "≤ 1 ×",
           verdict(value, value <= 1))
    yield ("idle, waits a minute",
           f"{count(m('idle'))} (loop {count(m('idle-loop'))}, libvirt's events "
           f"{count(m('idle-events'))}, lanes {count(m('idle-lanes'))})",
           "", "", "keepalive and reconciliation",
           verdict(m("idle"), m("idle-loop") <= IDLE_LOOP))
    yield from at_most(run, "a tick of Usage, CPU time with libvirtd's", "usage-tick",
                       "usage-floor", 1.3)
    value = ratio(m("usage-tick"), m("usage-peer"))
    yield ("… against `GetStats` on each domain", figure(m("usage-tick")),
           f"libvirt-dbus {figure(m('usage-peer'))}", times(value), "≤ 0.1 ×",
           verdict(value, value <= 0.1))
    yield ("… a second subscriber more", figure(m("usage-second")), "", "", "one message", "–")
    yield ("idle with guests that run, waits a minute", count(m("usage-idle")), "", "",
           "nothing for Usage", "–")
    yield ("… of the agent in a guest", count(m("idle-agent")), "", "", "one question a minute", "–")
    yield ("CPU time by itself, a tenth of 1,000 run", figure(m("rest-cpu"), "%"), "", "", "≤ 1 %",
           verdict(m("rest-cpu"), m("rest-cpu") <= 1))
    yield ("`Stop` replies after libvirt's event", figure(m("stop")), "", "", "≤ 10 ms",
           verdict(m("stop"), m("stop") <= 10))


def distribution(run):
    """p50 and p95 of all samples of each series, and from where to where the medians of the runs go."""
    lines = ["| series | p50 | p95 | p50 of the runs | runs | samples |",
             "| --- | --- | --- | --- | --- | --- |"]
    for name, domains in run.samples:
        values, medians = sorted(run.values(name)), domains == run.main and run.medians(name)
        if not values or not medians:
            continue
        unit = run.units[name]
        p95 = values[min(len(values) - 1, math.ceil(0.95 * len(values)) - 1)]
        lines.append(f"| {name} | {figure(statistics.median(values), unit)} | {figure(p95, unit)} "
                     f"| {figure(min(medians), unit)} to {figure(max(medians), unit)} "
                     f"| {len(medians)} | {len(values)} |")
    return "\n".join(lines)


def rows(run):
    """(what, ours, peers, ratio, reach, reached)"""
    for part in (reads, connection, events, resources):
        yield from part(run)


def table(run):
    lines = ["| what | service | peers | ratio | reach | reached |",
             "| --- | --- | --- | --- | --- | --- |"]
    lines += ["| " + " | ".join(row) + " |" for row in rows(run)]
    return "\n".join(lines)


def scaling(run):
    series = ("objects", "objects-cpu", "list-floor", "list", "connect-floor-bulk",
              "connect-available", "connect-available-cpu", "connect-available-bus-cpu",
              "connect-added", "connect-floor", "connect-all", "connect-cpu", "memory")
    head = "| domains | " + " | ".join(f"{size:,}" for size in run.sizes) + " |"
    lines = [head, "| --- |" + " --- |" * len(run.sizes)]
    for name in series:
        unit = "MB" if name == "memory" else "ms"
        cells = [figure(run.median(name, size), unit) for size in run.sizes]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("main", type=int, help="the number of domains of the first table")
    parser.add_argument("samples", nargs="+", help="what the bench has written, a file for each run")
    parser.add_argument("--facts", default="", help="a line about the run")
    parser.add_argument("--picture", help="where to write it")
    parser.add_argument("--document", help="a file to put the tables into")
    args = parser.parse_args()
    run = Run(*read(args.samples), args.main)
    text = "\n\n".join(filter(None, (args.facts, table(run), scaling(run), distribution(run))))
    print(text)
    if args.document:
        replace_section(args.document, text)
    drawn = picture(run) if args.picture else None
    if drawn:
        with open(args.picture, "w", encoding="utf-8") as file:
            file.write(drawn)


main()
