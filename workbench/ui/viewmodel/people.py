"""People as screens name them."""

from __future__ import annotations

from workbench.services.permissions import Act, Role
from workbench.ui.i18n import t


def role(one: Role) -> str:
    return {
        Role.INVESTIGATOR: t("Investigator"),
        Role.SENIOR: t("Senior investigator"),
        Role.MANAGER: t("Manager"),
        Role.AUDITOR: t("Auditor"),
    }[one]


def initials(display_name: str) -> str:
    return "".join(word[0] for word in display_name.split()[:2]).upper()


def may(act: Act) -> str:
    return {
        Act.READ: t("read rings, cases and the graph, masked"),
        Act.WORK: t("work on cases that are nobody's or your own"),
        Act.WORK_ANY: t("work on others' cases"),
        Act.ASSIGN: t("give cases to others"),
        Act.CONFIRM: t("confirm others' labels"),
        Act.REVEAL: t("see an identifier, with a reason, on record"),
        Act.OVERRIDE: t("say what is infrastructure"),
        Act.EXPORT: t("take data out: evidence packs, labels, tables"),
        Act.AUDIT: t("read the audit log"),
        Act.USERS: t("add, change and disable users"),
    }[act]
