"""A company's own names -> ours, in one YAML file.

tables:
  applications:
    from: jinjian_2025          # file (without ending) or database table
    columns: {application_id: 进件编号, submitted_at: 提交时间}
    values: {decision: {通过: approve, 拒绝: decline}}
    constants: {channel: app}   # for a column the company does not have
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Pairs
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from graph.errors import InputError
from loaders.tables import BY_NAME


@dataclass(frozen=True)
class TableMapping:
    name: str
    columns: Pairs[str, str] = field(default_factory=dict)
    values: Pairs[str, Pairs[str, str]] = field(default_factory=dict)
    constants: Pairs[str, str] = field(default_factory=dict)

    def names(self, theirs: Iterable[str]) -> dict[str, str]:
        """Our names -> theirs. A column of theirs that happens to have a name of ours, while mapping.yaml
        names another for it, is not loaded; one column may serve two of ours."""
        there = list(theirs)
        mapped = {ours: name for ours, name in self.columns.items() if name in there}
        taken = {*self.columns, *self.columns.values()}
        return mapped | {name: name for name in there if name not in taken}

    def unknown(self, theirs: Iterable[str], ours: Iterable[str]) -> tuple[str, ...]:
        """Columns of theirs that are loaded nowhere."""
        there, known = list(theirs), set(ours)
        used = {name for mine, name in self.names(there).items() if mine in known}
        return tuple(sorted(set(there) - used))

    def apply(self, rows: pa.Table) -> pa.Table:
        """Rows under our names, with our words."""
        names = self.names(rows.column_names)
        rows = pa.table({ours: rows[theirs] for ours, theirs in names.items()})
        for name, words in self.values.items():
            if name in rows.column_names:
                at = rows.column_names.index(name)
                rows = rows.set_column(at, name, _replaced(rows[name], words))
        for name, value in self.constants.items():
            if name not in rows.column_names:
                rows = rows.append_column(name, pa.array([value] * len(rows), pa.string()))
        return rows


@dataclass(frozen=True)
class Mapping:
    tables: Pairs[str, TableMapping]

    @property
    def wanted(self) -> dict[str, str]:
        """Every table with the name it has at the company."""
        return {name: self.of(name).name for name in BY_NAME}

    def of(self, table: str) -> TableMapping:
        return self.tables.get(table) or TableMapping(table)

    @classmethod
    def read(cls, path: Path | None) -> Mapping:
        """Raises InputError naming the key that is wrong.

        BaseLoader makes text of every value and nothing else: `yes`, `1` and `2025-01-01` stay as they are written.
        """
        if path is None:
            return cls({})
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - see below
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror})") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark else ""
            raise InputError(f"{path.name}{where}: not valid YAML") from None
        tables = _section(path.name, content, "the file").get("tables")
        parsed = {name: _table(path.name, name, body) for name, body in _section(path.name, tables, "tables").items()}
        return cls(parsed)


def _table(file: str, name: str, body: Any) -> TableMapping:
    table = BY_NAME.get(name)
    if table is None:
        raise InputError(f"{file}: {name} is none of our tables; they are {', '.join(BY_NAME)}")
    body = _section(file, body, name)
    unknown = set(body) - {"from", "columns", "values", "constants"}
    if unknown:
        raise InputError(f"{file}: {name}.{min(unknown)} is none of from, columns, values, constants")
    ours = {column.name for column in table.columns}
    parts = {
        part: _section(file, body.get(part) or {}, f"{name}.{part}") for part in ("columns", "values", "constants")
    }
    for part, keys in parts.items():
        for key in keys:
            if key not in ours:
                raise InputError(
                    f"{file}: {name}.{part}.{key} is no column of {name}; it has {', '.join(sorted(ours))}"
                )
    values = {
        column: _words(file, _section(file, words, f"{name}.values.{column}"), f"{name}.values.{column}")
        for column, words in parts["values"].items()
    }
    columns, constants = (_words(file, parts[part], f"{name}.{part}") for part in ("columns", "constants"))
    stem = _words(file, {"from": body.get("from", name)}, name)["from"]
    return TableMapping(stem, columns, values, constants)


def _section(file: str, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{file}: {where} must be a mapping of names (`name: …` lines)")
    return value


def _words(file: str, section: dict[str, Any], where: str) -> dict[str, str]:
    for key, value in section.items():
        if not isinstance(value, str):
            raise InputError(f"{file}: {where}.{key} must be a single word or text")
    return section


def _replaced(column: pa.ChunkedArray, words: Pairs[str, str]) -> pa.ChunkedArray:
    theirs = pa.array(list(words), pa.string())
    ours = pa.array(list(words.values()), pa.string())
    return pc.coalesce(pc.take(ours, pc.index_in(column, theirs)), column)
