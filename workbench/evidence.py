"""`ringroad evidence …`: whether a pack of evidence is as it was sealed, and the key that says so."""
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graph.errors import InputError
from graph.keyring import KeyFileError, Keyring
from graph.settings import Settings
from workbench import instance
from workbench.terminal import Json, say

if TYPE_CHECKING:
    from workbench.services.evidence.pack_seal import Verdict

app = typer.Typer(no_args_is_help=True, help="Packs of evidence: is one as it was sealed?")


class EvidenceChanged(InputError):
    """Somebody changed a pack after it was sealed."""


@app.command(epilog="Examples: ringroad evidence verify C1042-police-20261123.html · … --key KEY, without a key file")
def verify(
    file: Annotated[Path, typer.Argument(help="The pack, as it came.")],
    key: Annotated[str, typer.Option(help="The public key that its sender told you; default: this instance's.")] = "",
    as_json: Json = False,
) -> None:
    """Compute all hashes anew. Exit code 2, with the first section that was changed; 5 for another one's key."""
    from workbench.services.evidence.pack_seal import verify as verified

    verdict = verified(_read(file))
    if verdict.changed:
        raise EvidenceChanged(f"{file.name}: {_place(verdict.changed)} is not as it was sealed: {verdict.because}")
    known = frozenset({key.strip().lower()}) if key else _own_keys()
    if known and verdict.key not in known:
        raise KeyFileError(
            f"{file.name} is whole, but key {verdict.key[:16]}… signed it, which is not the one expected; whoever "
            "changes a pack can sign it anew: ask its sender for their key and give it with --key"
        )
    content = {"about": dict(verdict.about), "sections": list(verdict.sections), "key": verdict.key, "whole": True}
    say(content | {"key_known": bool(known)}, as_json, _text(file, verdict, known=bool(known)))


@app.command("key", epilog="Example: ringroad evidence key")
def own_key(as_json: Json = False) -> None:
    """The public key of this instance. Tell it to recipients by another way than the pack itself."""
    from workbench.services.evidence.pack_seal import Signer

    signer = Signer(instance.keyring(Settings.read().prepare()))
    public = " (of the public demo key: it proves nothing)" if signer.public else ""
    say({"key": signer.key, "demo": signer.public}, as_json, f"{signer.key}{public}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); name a pack of evidence") from None


def _own_keys() -> frozenset[str]:
    """None where there is no key file: a recipient has none, and none is made for looking."""
    from workbench.services.evidence.pack_seal import own_keys

    settings = Settings.read()
    if settings.demo:
        return own_keys(Keyring.demo())
    return own_keys(Keyring.open(settings.key_file)) if settings.key_file.exists() else frozenset()


def _place(name: str) -> str:
    return {"seal": "the seal", "frame": "what stands around the sections"}.get(name, f"section {name}")


def _text(file: Path, verdict: Verdict, *, known: bool) -> str:
    about = verdict.about
    recipient = f"for {about.get('recipient', '')} {about.get('dealer', '')}".strip()
    told = (
        f"{file.name}: as it was sealed, all {len(verdict.sections)} sections\n"
        f"{about.get('case', '')} {recipient}, made {about.get('made_at', '')[:19]} by {about.get('made_by', '')}\n"
    )
    if known:
        return f"{told}signed by the key expected: {verdict.key}"
    return f"{told}signed by {verdict.key}: compare this with the key that its sender told you, or give it with --key"
