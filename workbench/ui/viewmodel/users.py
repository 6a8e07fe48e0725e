"""What is said before and after something is done to a user."""

from __future__ import annotations

from typing import Any

from dash import html

from workbench.casebook.people import User
from workbench.services.access.roster import Given
from workbench.ui.i18n import t


def words(act: str, user: User) -> tuple[str, str, str]:
    """Title, what happens, and the button."""
    name = user.display_name
    return {
        "role": (
            t("Another role for {name}", name=name),
            t("Sessions under the role of before end at once."),
            t("Give this role"),
        ),
        "rename": (t("Rename {name}", name=name), t("The name to sign in with stays."), t("Rename")),
        "password": (
            t("A new one-time password for {name}", name=name),
            t("The one of before and all sessions end. At the next sign-in another one must be chosen."),
            t("Make it"),
        ),
        "factor": (
            t("Drop the second factor of {name}", name=name),
            t("For somebody who lost the device. Be sure that it is them who ask."),
            t("Drop it"),
        ),
        "disable": (
            t("Disable {name}", name=name),
            t("All sessions end at once, and nobody signs in by this name. What was done stays on record."),
            t("Disable"),
        ),
        "enable": (
            t("Let {name} sign in again", name=name),
            t("With the password of before; give a new one if nobody knows it."),
            t("Let sign in"),
        ),
    }[act]


def handed(given: Given) -> list[Any]:
    return [
        html.P(t("For {name}. It is shown this once; hand it over in person or by telephone.", name=given.name)),
        html.Div(given.password, className="us-password"),
        html.P(t("At the first sign-in another one must be chosen."), className="rr-soft rr-small"),
    ]
