"""Rings that a model ranked are found anew by the same model."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from graph.opinions import NOBODY_S
from graph.settings import Settings
from tests.service.conftest import copied
from workbench import continuing, lastrun, ringruns
from workbench.casebook import labels
from workbench.casebook.labels import Label
from workbench.ringruns import Asked
from workbench.services.feedback.rescoring import Rescoring
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.rings import Rings

LI = Person("li", "Li", Role.SENIOR)
AS_OF = datetime(2025, 7, 1, tzinfo=UTC)


def test_a_run_by_model_and_what_is_decided_after_it(trained: Path, tmp_path: Path) -> None:
    home = copied(trained, tmp_path / "home")
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        ringruns.run(office.here, Asked(AS_OF, 180, office.clock(), by_model=True))
        rings, rescoring = Rings(office), Rescoring(office)
        told = rings.list(LI)
        assert told
        for each in told:
            found = rescoring.after(LI, "label 0", each["application_ids"][:1])
            assert (found.changes, found.note) == ((), ""), "nothing was decided, and the model says the same"
        ring_id, members = told[0]["ring_id"], told[0]["application_ids"]
        with office.casebook.writing() as db:
            label = Label(members[0], "CLEARED_BENIGN", "review", "final", "li")
            labels.add(db, label, request_key="one", now=office.clock())
        (changed,) = rescoring.after(LI, "label 1", members[:1]).changes
        assert changed.ring_id == ring_id
        assert members[0] in changed.left
        kept = lastrun.load(office.settings)
        assert kept is not None
        assert kept.by_model is not None
        assert 0 < kept.by_model.risk.max() <= 1
        with pytest.raises(continuing.CannotContinue, match="a model ranked"):
            continuing.start(office.here, None, 180, NOBODY_S)
        content = lastrun.beside(office.settings).read_bytes()
        lastrun.beside(office.settings).write_bytes(content[:-1] + b"x")
        assert lastrun.load(office.settings) is None, "of another run, or damaged"
