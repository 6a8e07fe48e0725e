"""The graph as a section of a pack."""

from __future__ import annotations

from graph.ontology import EDGES, NODES
from workbench.services.evidence.pack_facts import Facts
from workbench.services.evidence.pack_request import Wanted
from workbench.ui.i18n import number, t, when
from workbench.ui.packs import markup as h
from workbench.ui.packs.drawing import Dot, Line, drawn, laid_out
from workbench.ui.theme import STRONG
from workbench.ui.viewmodel import sentences
from workbench.ui.viewmodel.elements import label

LONGEST = 14
"""Characters of a name in the drawing; all of it is in its title."""


def graph(facts: Facts, wanted: Wanted) -> str:
    dots = _dots(facts)
    lines = [
        Line(each.source, each.target, sentences.relation(each.relation), strong=EDGES[each.relation].weight >= STRONG)
        for each in facts.picture.ties
    ]
    at, cut = wanted.places, sum(facts.picture.cut.values())
    where = t("Everything stands where it stood on the screen.") if at else t("Laid out for this pack.")
    left = t("{count} things were left out for want of room.", count=cut) if cut else ""
    told = t(
        "{nodes} things and {links} links as of {time}.",
        nodes=number(len(dots)),
        links=number(len(lines)),
        time=when(facts.as_of),
    )
    title = t("Graph of {case}", case=facts.case.name)
    types = sorted({each.ref.type for each in dots}, key=list(NODES).index)
    return (
        h.para(f"{told} {where} {left}".strip())
        + h.legend([(NODES[each].colour, sentences.node_type(each)) for each in types])
        + drawn(dots, lines, at or laid_out([each.ref for each in dots], lines), title=title)
        + h.para(t("A1, S1 and so on are the numbers of the tables below."), "soft")
    )


def _dots(facts: Facts) -> list[Dot]:
    members = {each.name: each for each in facts.members}
    numbered = {each.ref: f"S{each.number}" for each in facts.things}
    dots = []
    for node in facts.picture.nodes:
        member = members.get(node.ref.key) if node.ref.type == "Application" else None
        short = f"A{member.number}" if member else numbered.get(node.ref, "")
        name, _, role = label(node).partition("\n")
        title = f"{short} {sentences.typed(node.ref.type, name)} {role}".strip()
        dots.append(Dot(node.ref, short or name[:LONGEST], title, ring=bool(short), label=node.label))
    return dots
