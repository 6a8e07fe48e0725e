"""Find, make, upgrade or refuse a casebook; read and write it in whole transactions."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError, NoSuchModuleError, SQLAlchemyError

from graph.errors import InputError, RingroadError, StorageFull, StoreBusy, StoreError
from workbench.casebook import (  # noqa: F401 - their tables belong to the metadata
    case_tables,
    people_tables,
    schedule_tables,
)
from workbench.casebook.tables import metadata

HEAD = "0004"
"""Newest revision in `migrations/versions`, known here so that an up-to-date casebook opens without Alembic."""

VERSION_TABLE = "casebook_version"
WAIT_SECONDS = 30
ANSWER_SECONDS = 60
"""A server that says nothing for so long is away; longer than anybody waits for a lock."""

Notice = Callable[[str], None]


class CasebookError(StoreError):
    """The casebook cannot be read, or is not one of this release."""


class Casebook:
    """One open casebook. Threads may share it."""

    def __init__(self, url: URL, engine: Engine) -> None:
        self.url = url
        self.shown = _file(url) or url.render_as_string(hide_password=True)
        self._engine = engine

    @classmethod
    def open(cls, address: str, *, password: str | None = None, notice: Notice = lambda _: None) -> Casebook:
        """Makes the database when there is none; an older one is upgraded, of which `notice` gets one line.

        A newer, damaged or foreign one is refused and left as it is.
        """
        url = _url(address, password)
        file = _file(url)
        try:
            engine = _engine(url)
            if file is not None:
                os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its side files the same mode
        except OSError as error:
            raise CasebookError(
                f"casebook {file} cannot be opened ({error.strerror}); name a file in a folder you may write to"
            ) from None
        except (NoSuchModuleError, ImportError) as error:
            raise InputError(f"RINGROAD_CASEBOOK: {error}; install the driver, or name another one") from None
        casebook = cls(url, engine)
        try:
            casebook._prepare(notice)
        except BaseException:
            casebook.close()
            raise
        return casebook

    @property
    def file(self) -> Path | None:
        return _file(self.url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """All that is read in it is of one moment."""
        with self._told(), self._engine.connect() as db:
            if db.dialect.name != "sqlite":  # there each statement would see what was written since the last one
                db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            yield db

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One writer at a time, on every database: who comes second sees what the first one wrote."""
        with self._told(), self._engine.connect().execution_options(writing=True) as db, db.begin():
            if db.dialect.name != "sqlite":
                db.execute(text(f"SELECT version_num FROM {VERSION_TABLE} FOR UPDATE"))  # noqa: S608 - our own word
            yield db

    def check(self) -> None:
        """Raises CasebookError when a page of the file is damaged."""
        if self.file is None:
            return
        with self.reading() as db:
            found = db.exec_driver_sql("PRAGMA quick_check").scalar()
        if found != "ok":
            raise CasebookError(f"casebook {self.shown} is damaged; {_REMEDY}")

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Casebook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Inside.

    def _prepare(self, notice: Notice) -> None:
        with self.reading() as db:
            revision = _revision(db)
        if revision != HEAD:
            self._bring_up(notice)
        with self._told(), closing(self._engine.raw_connection()) as raw:
            if self.file is not None:  # only now that the file is known to be ours: this changes it
                raw.cursor().execute("PRAGMA journal_mode = WAL")

    def _bring_up(self, notice: Notice) -> None:
        for last in (False, True):
            try:
                with self._told(), self._engine.connect().execution_options(writing=True) as db, db.begin():
                    self._upgrade(db, notice)
            except CasebookError:  # another process may have made the tables first
                if last:
                    raise
            else:
                return

    def _upgrade(self, db: Connection, notice: Notice) -> None:
        revision = _revision(db)  # asked again: another process may have been first
        if revision == HEAD:
            return
        if revision is None and self._foreign(db):
            raise CasebookError(f"{self.shown} is another database; name a casebook or a new one in RINGROAD_CASEBOOK")
        from alembic import command  # noqa: PLC0415 - hundreds of milliseconds, for the first run and upgrades only
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        config = alembic_config(connection=db)
        if revision is not None and revision not in {
            each.revision for each in ScriptDirectory.from_config(config).walk_revisions()
        }:
            raise CasebookError(
                f"casebook {self.shown} was made by a newer release (revision {revision}, this one knows {HEAD});"
                " use that release"
            )
        copy = self._copied(revision) if revision is not None else None
        command.upgrade(config, HEAD)
        if revision is not None:
            kept = f"; as it was: {copy}" if copy else ""
            notice(f"casebook {self.shown} upgraded from revision {revision} to {HEAD}{kept}")

    def _foreign(self, db: Connection) -> bool:
        there = set(inspect(db).get_table_names())
        return bool(there if self.file else there & metadata.tables.keys())

    def _copied(self, revision: str) -> Path | None:
        """The file as it is, beside it, whatever the upgrade does."""
        if self.file is None:
            return None
        copy = self.file.with_name(f"{self.file.name}.{revision}")
        fresh = copy.with_name(f".{copy.name}.{secrets.token_hex(4)}")
        try:
            os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(self.file)) as casebook, closing(sqlite3.connect(fresh)) as target:
                casebook.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")
            fresh.replace(copy)
        finally:
            fresh.unlink(missing_ok=True)
        return copy

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A database's faults in one line; never its statements, which hold what people wrote."""
        try:
            yield
        except RingroadError:
            raise
        except (DBAPIError, sqlite3.Error) as error:
            raise _explained(self.shown, getattr(error, "orig", error)) from None
        except SQLAlchemyError as error:
            raise CasebookError(f"casebook {self.shown}: {type(error).__name__}; {_REMEDY}") from None


_AWAY = "see that its server runs, and try again"
_REMEDY = "restore it from a backup (`ringroad restore`), or move it away to begin a new one"


def exists(address: str) -> bool:
    """Whether there is one to read; a server is asked only when it is opened."""
    file = _file(_url(address, None))
    return file is None or file.exists()


def alembic_config(**attributes: Any) -> Any:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes.update(attributes, version_table=VERSION_TABLE)
    return config


def _url(address: str, password: str | None) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise InputError("RINGROAD_CASEBOOK is no database address; write sqlite:////FILE") from None
    if url.password is not None:
        raise InputError("RINGROAD_CASEBOOK holds a password; put it into RINGROAD_CASEBOOK_PASSWORD")
    if url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise InputError("RINGROAD_CASEBOOK names no file; write sqlite:////FILE")
        return url
    return url.set(password=password) if password else url


def _file(url: URL) -> Path | None:
    return Path(url.database or "").absolute() if url.get_backend_name() == "sqlite" else None


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return _server_engine(url)
    engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS})

    @event.listens_for(engine, "connect")
    def _connected(db: sqlite3.Connection, _: object) -> None:
        db.isolation_level = None  # Python's own BEGIN comes too late: not before SELECT or CREATE
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begun(db: Connection) -> None:
        db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get("writing") else "BEGIN")

    return engine


def _server_engine(url: URL) -> Engine:
    """A connection that a restart of the server broke is made anew, and nobody waits for a lock for ever.

    pg8000 lets some faults of the network through as they are (OSError), which SQLAlchemy does not take for a broken
    connection; its own `pool_pre_ping` would not either.
    """
    given: dict[str, Any] = {"timeout": ANSWER_SECONDS} if url.get_driver_name() == "pg8000" else {}
    engine = create_engine(url, connect_args=given)

    @event.listens_for(engine, "connect")
    def _connected(db: Any, _: object) -> None:
        with closing(db.cursor()) as cursor:
            cursor.execute(f"SET lock_timeout = {round(WAIT_SECONDS * 1000)}")
        db.commit()

    @event.listens_for(engine, "checkout")
    def _alive(db: Any, _record: object, _proxy: object) -> None:
        try:
            with closing(db.cursor()) as cursor:
                cursor.execute("SELECT 1")
            db.rollback()
        except (OSError, engine.dialect.loaded_dbapi.Error) as error:
            raise InvalidatePoolError from error

    @event.listens_for(engine, "handle_error")
    def _broken(context: ExceptionContext) -> None:
        fault = context.original_exception
        if isinstance(fault, OSError):
            context.is_disconnect = True
            raise CasebookError(f"casebook {url.render_as_string()}: the connection broke; {_AWAY}") from None

    return engine


def _revision(db: Connection) -> str | None:
    if not inspect(db).has_table(VERSION_TABLE):
        return None
    found: str | None = db.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return found


BUSY = frozenset({"55P03", "40P01", "40001", "53300"})
"""Of PostgreSQL: a lock that was waited for, a deadlock, one that came second, no connection left."""


def _explained(shown: object, error: object) -> StoreError:
    told = getattr(error, "args", ())
    fields = told[0] if told and isinstance(told[0], dict) else {}
    words = str(fields.get("M", "")) if fields else str(error)  # pg8000 adds whole rows
    code = fields.get("C") or getattr(error, "sqlstate", None)
    said = words.strip().splitlines()[0] if words.strip() else type(error).__name__
    if code in BUSY or (code is None and ("locked" in said or "busy" in said)):
        return StoreBusy(f"casebook {shown} is being written by another process; run again when it has finished")
    if code == "53100" or (code is None and ("full" in said or "disk I/O" in said)):
        return StorageFull(f"no room to write casebook {shown}; free some disk space and run again")
    if code is None and ("not a database" in said or "malformed" in said):
        return CasebookError(f"casebook {shown} is damaged or none; {_REMEDY}")
    if code == "25006" or (code is None and "readonly" in said):
        return CasebookError(f"casebook {shown} may not be written; check its permissions")
    return CasebookError(f"casebook {shown}: {said}")
