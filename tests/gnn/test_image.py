"""A desk on disk, several models over one desk, and earlier applications looked at again."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gnn.assessor import Assessed, Assessor
from gnn.book import Book, open_book
from gnn.evidence import Held
from gnn.explain import Reason, Text, with_evidence
from gnn.features.assemble import Features
from gnn.files import ApplicationFile, Cutter, Hold, Inquiry, Thing
from gnn.image import EVENTS_READ, open_image, save_image
from gnn.models.boosted import Boosted
from gnn.models.hetero_sage import HeteroSage
from gnn.models.isolation import Isolation
from gnn.online import Desk, Start
from gnn.rules import read_settings
from gnn.rules.columns import Peers, decision_columns
from gnn.scorer import Scorer, prior_links
from gnn.training import PEER_COLUMNS, Prepared, model_names_of, prepare
from gnn.walk import NEWEST
from graph import snapshot as snapshots
from graph.errors import InputError, SnapshotError
from graph.records import DAY
from tests.gnn.conftest import Portfolio

FIRST, MANY = 1500, 90


@dataclass(frozen=True)
class World:
    """A desk opens after the first applications; `files` are those that come then."""

    ready: Prepared
    start: Start
    folder: Path
    scorer: Scorer
    peers: Peers
    files: tuple[ApplicationFile, ...]

    def assessor(self) -> Assessor:
        """Over arrays of its own."""
        return Assessor(Desk.resumed(own(self.start)), self.scorer, self.ready.seen, self.peers)

    def save(self, folder: Path, **more: Any) -> None:
        told = {"seen": self.ready.seen, "peers": self.peers, "scorers": {"one": self.scorer}, "spare": 500} | more
        save_image(folder, self.start, self.folder, **told)


def own(start: Start) -> Start:
    """A copy, for a desk writes into its arrays."""
    copied: Start = pickle.loads(pickle.dumps(replace(start, book=replace(start.book, snapshot=None, events={}))))
    return replace(copied, book=replace(copied.book, snapshot=start.book.snapshot))


@pytest.fixture(scope="module")
def world(tiny: Portfolio, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("image") / "snapshot"
    found, events = tiny.known()
    snapshots.save(found, folder)
    ready = prepare(snapshots.open_snapshot(folder), {kind: events.get(kind) for kind in EVENTS_READ})
    rows = ready.book.arrival(np.arange(len(ready.book)))[FIRST : FIRST + MANY]
    start = Start.of(ready.book, ready.seen.ledger, at=int(ready.book.as_of[rows[0]]) - 1)
    peers = Peers.fit(ready.book, {name: ready.seen[name] for name in PEER_COLUMNS})
    cutter = Cutter(ready.book)
    return World(ready, start, folder, taught(ready, 7), peers, tuple(cutter.file_of(row) for row in rows.tolist()))


def taught(ready: Prepared, seed: int) -> Scorer:
    """Models of everything there is, of labels by chance."""
    names, size = model_names_of(ready.seen), len(ready.book)
    x, fraud = ready.seen.only(names), np.random.default_rng(seed).random(size) < 0.2
    train = np.arange(size) % 2 == 0
    sage = HeteroSage(hidden=8, epochs=2).fit(
        x, prior_links(ready.book, ready.seen), fraud, np.ones(size), train=train, validation=~train, seed=seed
    )
    isolation = Isolation.fit(x, seed=seed, trees=20)
    main = Boosted(rounds=20).fit(x, fraud, names=names)
    return Scorer(names, isolation, read_settings(), 0.5, main=main, sage=sage)


def bits(found: Assessed) -> dict[str, Any]:
    return {
        "row": found.row,
        "values": found.seen.values.tobytes(),
        "links": [each[found.row].tobytes() for each in found.seen.links],
        "score": found.scores.score.tobytes(),
        "parts": {name: each.tobytes() for name, each in found.scores.auxiliaries.items()},
        "columns": {name: np.asarray(each).tobytes() for name, each in found.rule_columns.items()},
        "rules": found.scores.rules.hits.tobytes(),
    }


@pytest.fixture(scope="module")
def expected(world: World) -> tuple[dict[str, Any], ...]:
    """One by one, on a desk in memory."""
    assessor = world.assessor()
    found = tuple(bits(assessor.assess(file)) for file in world.files)
    assert sum(each["links"][0][:4] != b"\xff" * 4 for each in found) > MANY // 5, (
        "who is linked to nobody proves nothing"
    )
    return found


# Images --------------------------------------------------------------------------------------------------

ELSEWHERE = """
import pickle, sys
from pathlib import Path
from gnn.image import open_image
from gnn.rules import read_settings
from gnn.scorer import Scorer
from tests.gnn.test_image import bits
place = Path(sys.argv[1])
image = open_image(place / "image")
assessor = image.assessor(Scorer.load(place / "scorer", read_settings()), "one")
files = pickle.loads((place / "files").read_bytes())
(place / "found").write_bytes(pickle.dumps(tuple(bits(assessor.assess(file)) for file in files)))
"""


def test_another_process_opens_an_image_and_scores_with_the_same_bits(
    world: World, expected: tuple[dict[str, Any], ...], tmp_path: Path
) -> None:
    world.save(tmp_path / "image")
    (tmp_path / "scorer").mkdir()
    world.scorer.save(tmp_path / "scorer")
    (tmp_path / "files").write_bytes(pickle.dumps(world.files))
    before = {path.name: path.read_bytes() for path in (tmp_path / "image").glob("*.npy")}
    for _ in range(2):  # what one process writes no other sees
        subprocess.run([sys.executable, "-c", ELSEWHERE, str(tmp_path)], check=True)
        assert pickle.loads((tmp_path / "found").read_bytes()) == expected
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "image").glob("*.npy")}


def test_when_the_room_is_used_up_the_arrays_grow(
    world: World, expected: tuple[dict[str, Any], ...], tmp_path: Path
) -> None:
    world.save(tmp_path / "image", spare=3)
    assessor = open_image(tmp_path / "image").assessor(world.scorer, "one")
    assert tuple(bits(assessor.assess(file)) for file in world.files) == expected


def test_an_image_keeps_what_the_caller_says_and_outlives_the_snapshot_on_disk(
    world: World, expected: tuple[dict[str, Any], ...], tmp_path: Path
) -> None:
    shutil.copytree(world.folder, tmp_path / "snapshot")
    replace(world, folder=tmp_path / "snapshot").save(tmp_path / "image", about={"sequence": 7})
    inode = (tmp_path / "snapshot/nodes-Person.arrow").stat().st_ino
    assert (tmp_path / "image/snapshot/nodes-Person.arrow").stat().st_ino == inode, "links cost no room"
    shutil.rmtree(tmp_path / "snapshot")
    image = open_image(tmp_path / "image")
    assert image.about == {"sequence": 7}
    assert image.versions == ("one",)
    assert bits(image.assessor(world.scorer, "one").assess(world.files[0])) == expected[0]


def changed(folder: Path, name: str, value: Any) -> None:
    path = folder / "image.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))


def spoil(folder: Path, how: str) -> None:
    array = folder / "pairs.thing.npy"
    if how == "nothing":
        shutil.rmtree(folder)
    elif how == "no array":
        array.unlink()
    elif how == "short array":
        array.write_bytes(array.read_bytes()[:-8])
    elif how == "other bytes":
        path = folder / "most.npy"
        path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    elif how == "no snapshot":
        (folder / "snapshot/nodes-Person.arrow").unlink()
    elif how == "half a description":
        path = folder / "image.json"
        path.write_text(path.read_text()[: len(path.read_text()) // 2])
    elif how == "a description of something else":
        changed(folder, "counts", {})
    else:
        changed(folder, how, "another")


@pytest.mark.parametrize(
    "how",
    [
        "nothing", "no array", "short array", "other bytes", "no snapshot", "half a description",
        "a description of something else", "format", "ontology", "features",
    ],
)  # fmt: skip
def test_a_damaged_image_and_one_of_another_release_are_refused(world: World, tmp_path: Path, how: str) -> None:
    world.save(tmp_path / "image")
    spoil(tmp_path / "image", how)
    with pytest.raises(SnapshotError, match="make") as told:
        open_image(tmp_path / "image")
    assert "\n" not in str(told.value)


def test_warming_up_changes_nothing(world: World, expected: tuple[dict[str, Any], ...], tmp_path: Path) -> None:
    world.save(tmp_path / "image")
    image = open_image(tmp_path / "image")
    assessor = image.assessor(world.scorer, "one")
    image.warm(assessor)
    assert len(assessor.desk) == world.start.rows
    assert tuple(bits(assessor.assess(file)) for file in world.files[:30]) == expected[:30]


def test_an_image_for_another_model_says_so(world: World, tmp_path: Path) -> None:
    world.save(tmp_path / "image")
    image = open_image(tmp_path / "image")
    with pytest.raises(SnapshotError, match=r"no embeddings of model two \(it was made for one\)"):
        image.assessor(world.scorer, "two")
    without = replace(world.scorer, sage=None)
    assert np.isfinite(image.assessor(without, "two").assess(world.files[0]).scores.score).all()
    strange = replace(without, names=("no such feature",))
    with pytest.raises(SnapshotError, match="other features than model two"):
        image.assessor(strange, "two")


def test_what_cannot_be_written_leaves_the_image_that_is_there(world: World, tmp_path: Path) -> None:
    world.save(tmp_path / "image")
    with pytest.raises(SnapshotError, match="cannot be written"):
        replace(world, folder=tmp_path / "no snapshot").save(tmp_path / "image")
    assert [path.name for path in tmp_path.iterdir()] == ["image"]
    open_image(tmp_path / "image")


# Several workers, several models -------------------------------------------------------------------------


def test_who_follows_scores_later_ones_as_who_assessed_all(world: World, expected: tuple[dict[str, Any], ...]) -> None:
    assessor, asked = world.assessor(), 0
    for at, file in enumerate(world.files):
        if at % 7 == 6:
            assert bits(assessor.assess(file)) == expected[at]
            asked += 1
        else:
            assert assessor.follow(file) == expected[at]["row"]
        if at == MANY // 2:
            assert assessor.settle(5) > 0
            assert assessor.settle() == 0
    assert asked > 10


def test_embeddings_that_are_made_later_are_made_in_the_order_of_arrival(world: World) -> None:
    """The third hears the second, which hears the first."""
    when = max(file.known_at for file in world.files[:3])
    alike = [
        replace(file, known_at=when + at, held=(*file.held, Hold("device", 4716, when, when)))
        for at, file in enumerate(world.files[:3])
    ]
    one, other = world.assessor(), world.assessor()
    told = [bits(one.assess(file)) for file in alike]
    for file in alike[:2]:
        other.follow(file)
    assert bits(other.assess(alike[2])) == told[2]


def test_many_at_once_have_the_bits_of_one_by_one(world: World, expected: tuple[dict[str, Any], ...]) -> None:
    assessor = world.assessor()
    found = [*assessor.assess_many(world.files[:40]), assessor.assess(world.files[40])]
    found += assessor.assess_many(world.files[41:])
    assert tuple(map(bits, found)) == expected
    assert assessor.assess_many([]) == ()


def shared(file: ApplicationFile, now: int, *roles: str) -> ApplicationFile:
    """Sent now, with things of these roles that all who are treated so have in common."""
    others = (hold for hold in file.held if hold.role not in roles)
    mine = (Hold(role, 4716 + at, now, now) for at, role in enumerate(roles))
    return replace(file, known_at=now, properties={**file.properties, "submitted_at": now}, held=(*others, *mine))


def inquiry(ref: str, now: int) -> Inquiry:
    return Inquiry(ref, now - DAY, now, "bank", None, 5_000.0, "loan_approval")


def test_what_is_told_between_those_that_arrive_together_is_seen_by_the_later_ones_alone(world: World) -> None:
    def told(desk: Desk, row: int, at: int) -> None:
        past = int(desk.book.as_of[row]) - 5 * DAY
        desk.label(row, "CONFIRMED_FRAUD", known_at=past, level="E1", source="review")
        desk.decide(row, ("decline", "approve")[at // 2 % 2], at=past)
        desk.learn(row, Hold("device", 4716, past, past), Thing(past, {}))
        desk.set_aside("Device", 4717, since=past)

    when = world.files[12].known_at
    alike = [  # every two at the same moment, and all with one dealer and one person's things
        shared(file, when + at // 2, "device", "signed_in", "dealer", "person")
        for at, file in enumerate(world.files[:12])
    ]
    one, other = world.assessor(), world.assessor()
    expected, rows = [], []
    for at, file in enumerate(alike):
        expected.append(bits(one.assess(file)))
        told(one.desk, expected[0]["row"], at)
    for at, file in enumerate(alike):
        rows.append(other.follow(file))
        told(other.desk, rows[0], at)
    assert [bits(other.assess_row(each)) for each in other.arrived(rows)] == expected


def test_those_of_one_moment_do_not_see_those_after_them(world: World) -> None:
    one, other, now = world.assessor(), world.assessor(), world.files[1].known_at
    first, second = (
        replace(shared(file, now, "person"), inquiries=(inquiry(f"inquiry {at}", now),))
        for at, file in enumerate(world.files[:2])
    )
    expected = [bits(one.assess(each)) for each in (first, second)]
    rows = [other.follow(first), other.follow(second)]
    assert [bits(other.assess_row(each)) for each in other.arrived(rows)] == expected


def test_nobody_gets_the_features_of_another_row(world: World) -> None:
    assessor = world.assessor()
    first, second = assessor.follow(world.files[0]), assessor.follow(world.files[1])
    assert [each.row for each in assessor.arrived([second])] == [second]
    with pytest.raises(InputError, match="nothing has arrived"):
        assessor.arrived([first])
    for at, other in enumerate((first, second + 99)):
        assessor.follow(world.files[2 + at])
        with pytest.raises(InputError, match="did not all come"):
            assessor.arrived([other])


def test_a_challenger_scores_the_same_rows_as_on_a_desk_of_its_own(world: World, tmp_path: Path) -> None:
    other = taught(world.ready, 8)
    world.save(tmp_path / "image", scorers={"one": world.scorer, "two": other})
    image = open_image(tmp_path / "image")
    champion = image.assessor(world.scorer, "one")
    challenger = image.assessor(other, "two", beside=champion)
    alone, both = replace(world, scorer=other).assessor(), world.assessor()
    for at, file in enumerate(world.files):
        arrived = champion.arrive(file)
        assert bits(champion.assess_row(arrived)) == bits(both.assess(file))
        scored = alone.assess(file)
        if at % 3 == 0:  # now and then, as a shadow that is asked for a sample
            assert bits(challenger.assess_row(arrived)) == bits(scored)
    challenger.close()
    assert len(champion.desk) == len(both.desk)


# Once more -----------------------------------------------------------------------------------------------


def afterwards(desk: Desk, world: World, found: list[Assessed]) -> None:
    """Labels, declines that are lifted again, things that become known late and what many hold by nature: all at
    times that lie before the files, as somebody may tell who was slow."""
    for at, each in enumerate(found):
        row, now = each.row, int(desk.book.as_of[each.row])
        past = now - 5 * DAY
        if at % 3 == 0:
            desk.label(row, "CONFIRMED_FRAUD", known_at=past, level="E1", source="review")
        if at % 4 == 0:
            desk.decide(row, "decline", at=past)
        if at % 5 == 0:
            hold = world.files[0].held[-1]
            desk.learn(row, Hold(hold.role, hold.thing, past, past))
        if at % 8 == 0:
            desk.decide(row, "approve", at=past)
        for hold in world.files[at].held[:1] if at % 6 == 0 else ():
            type_ = next(type_ for type_, id_ in world.files[at].things if id_ == hold.thing)
            desk.set_aside(type_, hold.thing, since=past)


def test_an_earlier_application_looks_as_it_did_when_it_arrived(world: World) -> None:
    assessor = world.assessor()
    found = [assessor.assess(file) for file in world.files[:50]]
    told = [bits(each) for each in found]
    number = Thing(0, {"tenure_months": 1, "status": "active"})
    assessor.desk.learn(found[-1].row, Hold("phone", 4715, 0, 0), number)
    afterwards(assessor.desk, world, found)
    late = replace(world.files[50], properties=dict(world.files[50].properties) | {
        "submitted_at": int(assessor.desk.book.submitted[found[0].row]) - DAY, "amount": 1e9, "auto_limit_flag": 1,
    })  # fmt: skip
    felt = bits(assessor.assess(late)) != bits(world.assessor().assess(late))
    assert felt, "else it proves nothing that nobody felt it before"
    for file in world.files[51:]:
        assessor.follow(file)
    for each, file, before in zip(found, world.files, told, strict=False):
        assert bits(assessor.again(each.row, file)) == before


def test_looking_again_writes_nothing(world: World) -> None:
    assessor = world.assessor()
    row = assessor.arrive(world.files[0]).row
    ledger = assessor.desk._room.ledger
    kept = [each.copy() for each in (*ledger.stated, *ledger.links)]
    assessor.desk.features_again(row, replace(world.files[0], properties={"amount": 1.0}))
    for before, after in zip(kept, (*ledger.stated, *ledger.links), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_decline_that_was_lifted_stands_for_who_was_scored_in_between(world: World) -> None:
    desk = world.assessor().desk
    row = desk.arrive(world.files[0])
    desk.decide(row, "decline", at=0)
    between = desk.arrive(world.files[1])
    desk.decide(row, "approve", at=0)
    declined = desk._room.ledger.stated.declined_at
    with desk._as_it_was(between, int(desk.book.as_of[between])):
        assert declined[row] <= desk.book.as_of[between]
    assert declined[row] > desk.book.as_of[between] + 1000 * DAY


def test_rows_of_the_portfolio_are_looked_at_again_with_their_bits(world: World) -> None:
    assessor, seen = world.assessor(), world.ready.seen
    cutter, before = Cutter(world.ready.book), world.ready.book.arrival(np.arange(len(seen.rows)))[:FIRST]
    for file in world.files[:20]:
        assessor.follow(file)
    for row in before[::50].tolist():
        again = assessor.desk.features_again(row, cutter.file_of(row))
        np.testing.assert_array_equal(again.values[0], seen.values[row])


def test_a_file_of_another_application_is_no_file_of_that_row(world: World) -> None:
    assessor = world.assessor()
    row = assessor.follow(world.files[0])
    with pytest.raises(InputError, match="give the file that arrived"):
        assessor.desk.features_again(row, world.files[1])


def test_an_application_arrives_once_even_if_its_session_was_known_before(world: World) -> None:
    ids = world.start.book.ids
    known = next(file for file in world.files if file.id in set(ids.tolist()))
    desk = world.assessor().desk
    assert desk.row_of(known.id) == -1
    row = desk.arrive(known)
    assert desk.row_of(known.id) == row == world.start.rows
    with pytest.raises(InputError, match="arrived before"):
        desk.arrive(known)
    old = int(world.ready.book.arrival(np.arange(FIRST))[0])
    assert desk.row_of(int(ids[old])) == old


# Evidence ------------------------------------------------------------------------------------------------


def reason() -> Reason:
    return Reason("RC01", 1.0, 1.0, Text("shared", "共用"), Text("", ""), ("device_30d",))


def test_evidence_of_rows_and_things_that_no_snapshot_has(world: World) -> None:
    desk = world.assessor().desk
    masked = Thing(world.files[0].known_at, {}, key="token-of-a-device", label="iPhone ···7")
    when = world.files[2].known_at
    for number, file in enumerate(world.files[:2]):
        hold = Hold("device", 4711, file.known_at, file.known_at)
        desk.arrive(
            replace(file, known_at=when + number, held=(*others(file), hold), name=f"No. {number}",
                    things={**file.things, ("Device", 4711): masked})
        )  # fmt: skip
    row = len(desk) - 1
    (found,) = with_evidence([reason()], desk.book, row, desk)
    (path,) = [each for each in found.evidence if each.thing == 4711]
    assert (path.application, path.type, path.label, path.earlier) == ("No. 1", "Device", "iPhone ···7", ("No. 0",))
    assert "token" not in found.investigator.en + found.investigator.zh


def others(file: ApplicationFile) -> Iterator[Hold]:
    return (hold for hold in file.held if hold.role not in ("device", "signed_in"))


def test_a_new_number_without_a_mask_is_not_shown_by_its_key(world: World) -> None:
    desk = world.assessor().desk
    file = world.files[0]
    phone = {("Phone", 4712): Thing(file.known_at, {}, key="a token")}
    for number in range(2):
        held = (*file.held[:1], Hold("contact", 4712, file.known_at, file.known_at))
        desk.arrive(replace(world.files[number], held=held, things={**file.things, **phone}))
    paths = Held(desk.book, len(desk) - 1, desk).paths(frozenset({"contact", "any"}))
    assert "a token" not in repr(paths)


def test_evidence_of_the_portfolio_is_what_the_snapshot_says(world: World) -> None:
    book, desk = world.ready.book, world.assessor().desk
    asked = frozenset({"any", "@dealer", "@person", "contact", "device"})
    rows = book.arrival(np.arange(len(book)))[:FIRST:25].tolist()
    found = [(Held(book, row).paths(asked), Held(desk.book, row, desk).paths(asked)) for row in rows]
    assert any(paths for paths, _ in found)
    for plain, of_desk in found:
        assert plain == of_desk


# What a decision reads -----------------------------------------------------------------------------------


def test_a_released_mortgage_changes_no_decision(tiny: Portfolio, world: World) -> None:
    """The rule for a car financed twice once read when the other loan's mortgage was released."""
    book = twice(world.ready.book)
    told = book.snapshot.nodes["Vehicle"].ids
    _, events = tiny.known()
    table = events["vehicle_events"]
    assert table is not None
    released = table.set_column(table.column_names.index("type"), "type", [["mortgage_released"] * len(table)]).filter(
        np.isin(table["owner"].to_numpy(), told)
    )
    assert len(released) > 100
    assert columns(replace(book, events={"vehicle_events": released})) == columns(book)
    assert (np.frombuffer(columns(book)["vehicle_conflicts"]) > 0).any()


def twice(book: Book) -> Book:
    """Where every application of the later half is for the car of one of the earlier half."""
    nodes = book.snapshot.edges["FINANCES"]
    target = nodes.target.copy()
    order = np.argsort(book.known_at[nodes.source], kind="stable")
    half = len(order) // 2
    target[order[-half:]] = target[order[:half]]
    rows = {name: getattr(nodes, name) for name in snapshots.COLUMNS} | {"target": target}
    vehicles, applications = (len(book.snapshot.nodes[name]) for name in ("Vehicle", "Application"))
    edges = {**book.snapshot.edges, "FINANCES": snapshots.sort_edges(rows, applications, vehicles)}
    return open_book(replace(book.snapshot, edges=edges), {})


def columns(book: Book) -> dict[str, bytes]:
    rows = np.arange(len(book))
    table: dict[str, npt.NDArray[Any]] = {name: np.zeros(len(book)) for name in PEER_COLUMNS}
    return {name: each.tobytes() for name, each in decision_columns(book, rows, table, Peers.fit(book, table)).items()}


@pytest.mark.parametrize(("label", "refused"), [("310*···", 0.0), ("员工 7", 1.0), ("", np.nan)])
def test_an_applicant_of_today_is_judged_by_the_mask(world: World, label: str, refused: float) -> None:
    numbered = replace(world.peers, refused=np.zeros_like(world.peers.refused))
    assessor = replace(world, peers=numbered).assessor()
    file = world.files[0]
    held = tuple(hold for hold in file.held if hold.role != "person")
    person = Hold("person", 4713, file.known_at, file.known_at)
    thing = Thing(file.known_at, {"id_type": "resident"}, label=label)
    new = replace(file, held=(*held, person), things={**file.things, ("Person", 4713): thing})
    found = assessor.assess(new).rule_columns["id_number_refused"]
    np.testing.assert_array_equal(found, [refused])


# Super-nodes ---------------------------------------------------------------------------------------------


def crowd(world: World, role: str, cut: int | None) -> tuple[Features, Mapping[str, Any]]:
    """Of an application whose new thing 600 hold who came before; behind the `cut`-th of them the chain ends."""
    assessor, file, thing = world.assessor(), world.files[0], 4714
    desk = assessor.desk
    before = world.ready.book.arrival(np.arange(len(world.ready.book)))[FIRST - 600 : FIRST]
    for row in before.tolist():
        desk.learn(row, Hold(role, thing, 0, 0))
    if cut is not None:
        pairs, pair = desk._room.book.pairs, len(desk.book.pairs.thing) - cut
        assert desk.thing(int(pairs.thing[pair]))[1] == thing
        pairs.previous[pair] = -1
    found = assessor.assess(replace(file, held=(*file.held, Hold(role, thing, file.known_at, file.known_at))))
    return found.seen, found.rule_columns


@pytest.mark.parametrize("role", ["device", "ip", "phone"])
def test_of_a_thing_that_everybody_holds_the_newest_holders_are_read_and_no_more(world: World, role: str) -> None:
    whole, cut, shorter = (crowd(world, role, steps) for steps in (None, NEWEST, NEWEST // 4))
    assert whole[0].values.tobytes() == cut[0].values.tobytes()
    for name, column in whole[1].items():
        np.testing.assert_array_equal(column, cut[1][name], err_msg=name)
    assert whole[0].values.tobytes() != shorter[0].values.tobytes(), "the chain was cut where it is read"
