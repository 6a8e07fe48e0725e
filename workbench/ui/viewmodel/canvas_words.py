"""What the scripts of the canvas say, in the language of the page. `{names}` are filled in the browser."""

from __future__ import annotations

from workbench.ui.i18n import t


def words() -> dict[str, str]:
    return _said() | _done() | _card() | _menu()


def _said() -> dict[str, str]:
    return {
        "canvas": t("Relationship graph; the table of things in view tells the same"),
        "status": t("{nodes} nodes · {edges} links"),
        "folded": t("{count} folded"),
        "hidden": t("{count} hidden"),
        "gone": t("{count} not there then"),
        "left out": t("{count} things nobody else shares are left out"),
        "no room": t("{count} things had no room; filter or expand to see them"),
        "full": t("The canvas holds {count} elements; fold, remove or filter before you add"),
        "folded for room": t("{count} elements: leaves were folded to keep this readable"),
        "nothing then": t("Nothing of this was known then."),
        "not known then": t("Not known at this time"),
        "read again": t("Read again: {came} new, {gone} gone"),
        "shown of": t("{shown} of {total} added · {label}"),
        "of the newest": t("(the riskiest of the newest {count})"),
        "all shown": t("All of them are shown already · {label}"),
        "none such": t("There are none of this kind · {label}"),
        "neighbours of": t("Neighbours of {label}: {total}"),
        "chip": t("Add {type}: {shown} of {total} shown"),
        "all here": t("All its neighbours are shown"),
        "choose": t("Choose…"),
        "choose one": t("Choose a node first"),
        "not shown": t("{count} of them are not on the canvas"),
        "show them": t("Show them"),
        "two ends": t("Choose two nodes, then ask for the path"),
        "second end": t("Now choose where the path shall lead"),
        "path of": t("A path of {count} links"),
        "no path": t("No path without going through hubs or infrastructure"),
        "path given up": t("No path found within reach; there may be one farther out"),
        "brush from": t("From"),
        "brush to": t("Until"),
        "box on": t("Drag a box to choose what is in it"),
        "box off": t("Drag to move the canvas again"),
        "nothing to fold": t("No {count} leaves of one type hang on one node"),
        "folded now": t("{count} leaves in {folds} folds; press one to open it"),
    }


def _done() -> dict[str, str]:
    return {
        "undone": t("Undone: {what}"),
        "redone": t("Done again: {what}"),
        "nothing to undo": t("Nothing to undo"),
        "nothing to redo": t("Nothing to redo"),
        "removal": t("removal of {count}"),
        "removed": t("{count} taken from view"),
        "addition": t("addition"),
        "expansion": t("expansion of {label}"),
        "layout": t("layout"),
        "folding": t("folding"),
        "unfolding": t("unfolding"),
        "path": t("path"),
        "move": t("move"),
    }


def _card() -> dict[str, str]:
    return {
        "fold card": t("{count} × {type}: press to open"),
        "score": t("Score {score}"),
        "amount": t("¥{amount} financed"),
        "state fraud": t("Labelled as fraud"),
        "state suspected": t("Labelled as suspected"),
        "state legit": t("Cleared"),
        "held": t("Held by {count} people here"),
        "infra": t("No lead: {kind}"),
        "more links": t("{count} links not shown"),
        "known since": t("Known since {day}"),
    }


def _menu() -> dict[str, str]:
    return {
        "menu expand": t("Expand"),
        "menu kind": t("+ {type} · {count}"),
        "menu filter": t("Choose neighbours…"),
        "menu unfold": t("Unfold"),
        "menu path": t("Path to…"),
        "menu neighbours": t("Choose with neighbours"),
        "menu pin": t("Pin here"),
        "menu unpin": t("Unpin"),
        "menu only": t("Keep only this and its neighbours"),
        "menu remove": t("Take from view"),
        "menu page Application": t("Open this application"),
        "menu page Dealer": t("Dealer page"),
        "menu page Vehicle": t("Life of this vehicle"),
        "menu ends": t("Choose both ends"),
        "menu remove edge": t("Take link from view"),
        "menu fit": t("Fit into view"),
        "menu all": t("Choose all"),
        "menu invert": t("Invert the choice"),
        "menu fold": t("Fold or unfold leaves"),
        "menu unpin all": t("Unpin all"),
    }
