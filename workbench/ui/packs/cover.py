"""The first page of a pack, its last, and what a dealer is asked: what is said to who is no colleague."""

from __future__ import annotations

from datetime import datetime

from gnn.explain import WORDS
from workbench.services.evidence.pack_facts import Facts
from workbench.services.evidence.pack_request import DEALER, POLICE, Wanted
from workbench.services.evidence.pack_seal import Sealed, as_html
from workbench.ui.i18n import language, t, when
from workbench.ui.packs import markup as h
from workbench.ui.viewmodel import case_words as words


def cover(facts: Facts, wanted: Wanted, *, made_at: datetime, made_by: str, demo: bool) -> str:
    """What this is, for whom, and how to see whether it was changed."""
    title, what = {
        DEALER: (
            t("Request for verification {case}", case=facts.case.name),
            t("Please verify what stands here about applications that came through you. It accuses nobody."),
        ),
        POLICE: (
            t("Evidence pack {case}", case=facts.case.name),
            t("Handed over on request. Personal data is masked, except what was revealed for a stated reason each."),
        ),
    }.get(
        wanted.recipient,
        (
            t("Evidence pack {case}", case=facts.case.name),
            t("What was found about this case, for use inside the company. Personal data is masked."),
        ),
    )
    pairs = [
        (t("For"), words.of(words.RECIPIENT, wanted.recipient) + (f" · {wanted.dealer}" if wanted.dealer else "")),
        (t("Reference"), wanted.reference),
        (t("Why"), "" if wanted.recipient == DEALER else wanted.reason),
        (t("Made"), f"{when(made_at)} · {made_by}"),
        (t("As of"), when(facts.as_of)),
    ]
    warning = [t("Made with the public demo key: its seal proves nothing.")] if demo else []
    return h.section(
        "cover", "", h.heading(title), h.para(what), h.facts(pairs),
        h.box(
            t("Use this file only for the purpose it was made for, keep it where only those see it who need it, and "
              "delete it when the purpose has ended."),
            t("Whether anything in it was changed: ringroad evidence verify FILE"),
            *warning,
        ),
    )  # fmt: skip


def seal(made: Sealed) -> str:
    """With the hash of every section; it is what the signature stands for."""
    manifest, signature = as_html(made)
    return h.sealed(
        words.of(words.SECTION, "seal"),
        t("SHA-256 of every section and of the whole, signed with Ed25519. Compare the key with the one that you were "
          "told by another way."),
        manifest,
        (t("Key"), f"<code>{made.key}</code>"),
        (t("Signature"), signature),
    )  # fmt: skip


def verify(facts: Facts, _wanted: Wanted) -> str:
    """In the words that an applicant may read, and no others."""
    told = []
    for each in facts.members:
        codes = each.score.reasons if each.score else ()
        asked = list(dict.fromkeys(_safe(code) for code in codes if code in WORDS)) or [
            t("The documents of this application, in the original.")
        ]
        told.append(h.para(each.name) + h.bullets(asked))
    return "".join(told)


def _safe(code: str) -> str:
    text = WORDS[code].applicant
    return text.zh if language.get() == "zh" else text.en
