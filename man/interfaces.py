#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the manual page of the D-Bus interface.

interfaces.py TEMPLATE XML... > PAGE

The template is a page in mdoc(7). Its line "@INTERFACES@" is replaced by a reference of the
interfaces that the XML files describe: the signatures come from the elements, the words from the
comments before them.
"""

import re
import sys
import textwrap
import xml.sax
import xml.sax.handler

MEMBERS = ("method", "signal", "property")


class Reader(xml.sax.handler.ContentHandler):
    """Collects interfaces, each member with the comment that comes before it.

    It is also a lexical handler, of which Python has a class since 3.10 only.
    """

    def __init__(self):
        super().__init__()
        self.interfaces = []
        self.text = ""
        self.member = None

    def comment(self, content):
        self.text = textwrap.dedent(content).strip()

    def startDTD(self, name, public_id, system_id):
        pass

    def endDTD(self):
        pass

    def startCDATA(self):
        pass

    def endCDATA(self):
        pass

    def startElement(self, name, attributes):
        if name == "interface":
            self.interfaces.append(
                {"name": attributes["name"], "doc": self.take(), "members": []})
        elif name in MEMBERS:
            self.member = {"kind": name, "args": [], "annotations": {}, "doc": self.take(),
                           **dict(attributes)}
            self.interfaces[-1]["members"].append(self.member)
        elif name == "arg":
            self.member["args"].append(dict(attributes))
        elif name == "annotation" and self.member:
            self.member["annotations"][attributes["name"]] = attributes["value"]

    def endElement(self, name):
        if name in MEMBERS:
            self.member = None

    def take(self):
        text, self.text = self.text, ""
        return text


def read(path):
    reader = Reader()
    parser = xml.sax.make_parser()
    parser.setContentHandler(reader)
    parser.setProperty(xml.sax.handler.property_lexical_handler, reader)
    parser.setFeature(xml.sax.handler.feature_external_ges, False)
    parser.parse(path)
    return reader.interfaces


def escape(text):
    """One line of text that roff prints as it is."""
    text = text.replace("\\", "\\e").replace("…", "...").replace("–", "-")
    # "#org.unraid.Vms.Manager::JobRemoved" and "...:Status" are links elsewhere.
    text = re.sub(r"#([\w.]+)::?(\w+)", r"\1.\2", text)
    text = text.replace("µ", "\\(mc")
    text = re.sub(r"#(org\.[\w.]+)", r"\1", text)
    text = re.sub(r"[@%](\w+)", r"\1", text)
    text = re.sub(r"(\w)\(\)", r"\1", text)
    return "\\&" + text if text[:1] in ".'" else text


def quote(text):
    """An argument of a macro."""
    return '"' + text.replace("\\", "\\e").replace('"', "\\(dq") + '"'


def sentences(paragraph):
    """Lines of at most 78 characters, a new one for each sentence, as mdoc wants it."""
    for sentence in re.split(r"(?<=[.:!?])\s+(?=[A-Z\"])", " ".join(paragraph.split())):
        for line in textwrap.wrap(escape(sentence), 76, break_long_words=False,
                                  break_on_hyphens=False):
            yield "\\&" + line if line[:1] in ".'" else line


def split_doc(doc):
    """The paragraphs of a comment, and what it says of each argument."""
    arguments, paragraphs = {}, []
    for number, block in enumerate(re.split(r"\n\s*\n", doc)):
        lines = block.splitlines()
        if number == 0 and lines and re.fullmatch(r"[\w.]+:?", lines[0].strip()):
            lines = lines[1:]
        name, rest = None, []
        for line in lines:
            found = re.match(r"\s*@(\w+):\s*(.*)", line)
            if found:
                name = found[1]
                arguments[name] = found[2]
            elif name:
                arguments[name] += " " + line.strip()
            else:
                rest.append(line)
        if "".join(rest).strip():
            paragraphs.append("\n".join(rest))
    return paragraphs, arguments


def paragraphs_of(paragraphs):
    for number, paragraph in enumerate(paragraphs):
        if number > 0:
            yield ".Pp"
        yield from sentences(paragraph)


def signature(arguments):
    return ", ".join(f"{a['type']} {a.get('name', '')}".strip() for a in arguments)


def heading(member):
    if member["kind"] == "property":
        emits = member["annotations"].get("org.freedesktop.DBus.Property.EmitsChangedSignal",
                                          "true")
        note = {"const": "constant", "true": "emits changes"}.get(emits, "emits " + emits)
        return f"{member['name']} {member['type']}, {note}"
    if member["kind"] == "signal":
        return f"{member['name']}({signature(member['args'])})"
    inward = [a for a in member["args"] if a.get("direction", "in") == "in"]
    outward = [a for a in member["args"] if a.get("direction") == "out"]
    answer = f" -> ({signature(outward)})" if outward else ""
    return f"{member['name']}({signature(inward)}){answer}"


def member_lines(member):
    paragraphs, arguments = split_doc(member["doc"])
    yield ".It Sy " + quote(heading(member))
    yield from paragraphs_of(paragraphs)
    since = arguments.pop("since", None)
    if since:
        yield f"Since version {since}."
    if not arguments:
        return
    yield ".Bl -tag -width Ds -compact"
    for name, text in arguments.items():
        yield ".It Va " + quote(name)
        yield from sentences(text or "-")
    yield ".El"


def interface_lines(interface):
    paragraphs, arguments = split_doc(interface["doc"])
    yield ".Sh THE INTERFACE " + interface["name"]
    summary = arguments.get("short_description")
    if summary:
        yield from sentences(summary.rstrip(".") + ".")
    if summary and paragraphs:
        yield ".Pp"
    yield from paragraphs_of(paragraphs)
    yield f"Since version {arguments['since']}."
    for kind, title in (("method", "Methods"), ("signal", "Signals"), ("property", "Properties")):
        members = [m for m in interface["members"] if m["kind"] == kind]
        if not members:
            continue
        yield f".Ss {title} of {interface['name'].rsplit('.', 1)[1]}"
        yield ".Bl -tag -width Ds"
        for member in members:
            yield from member_lines(member)
        yield ".El"


def main():
    template, *files = sys.argv[1:]
    interfaces = [interface for path in files for interface in read(path)]
    with open(template, encoding="utf-8") as source:
        for line in source:
            if line.strip() != "@INTERFACES@":
                sys.stdout.write(line)
                continue
            for interface in interfaces:
                print("\n".join(interface_lines(interface)))


main()
