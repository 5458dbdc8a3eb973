"""Models with their lineage, and who served when.

An alias (champion or challenger of a master) is never overwritten: each change is a row with its
time and its reason, and the newest row up to a time says who it was then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fledgling.auto_learning.clock import stamp
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.errors import DataError, ModelError
from fledgling.core.run_store import finite

CHAMPION, CHALLENGER = "champion", "challenger"
BASE = "base"  # the model as it came, without an adapter: every master's first champion


@dataclass(frozen=True)
class Model:
    """A model of one master. ``folder`` is relative to the workspace's models, empty for the base;
    ``bytes_hash`` is of all its files; ``data_hash`` of what it was trained on.
    """

    id: str
    master: str
    parent: str | None
    folder: str
    bytes_hash: str
    data_hash: str
    created: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Registry:
    """The models and aliases of a workspace."""

    workspace: Workspace

    def add(self, model: Model) -> None:
        """Register a model. Raises ``DataError`` when its id is taken."""
        values = {**vars(model), "settings": json.dumps(finite(model.settings))}
        values["metrics"] = json.dumps(finite(model.metrics))
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        if self.find(model.id) is not None:
            raise DataError(f"there is a model {model.id!r} already; give another id")
        self.workspace.store.execute(f"INSERT INTO models ({names}) VALUES ({marks})", values)

    def measured(self, model_id: str, metrics: Mapping[str, Any]) -> None:
        """Add to what is known of a model."""
        known = {**self.get(model_id).metrics, **finite(dict(metrics))}
        self.workspace.store.execute(
            "UPDATE models SET metrics = ? WHERE id = ?", (json.dumps(known), model_id)
        )

    def find(self, model_id: str) -> Model | None:
        row = self.workspace.store.execute(
            "SELECT * FROM models WHERE id = ?", (model_id,)
        ).fetchone()
        return None if row is None else _model(row)

    def get(self, model_id: str) -> Model:
        """Raises ``ModelError`` listing what there is."""
        found = self.find(model_id)
        if found is None:
            known = [row[0] for row in self.workspace.store.execute("SELECT id FROM models")]
            raise ModelError(
                f"there is no model {model_id!r}; there are: {', '.join(known) or 'none'}"
            )
        return found

    def models(self, master: str) -> list[Model]:
        """All models of a master, oldest first."""
        rows = self.workspace.store.execute(
            "SELECT * FROM models WHERE master = ? ORDER BY created, id", (master,)
        )
        return [_model(row) for row in rows]

    def lineage(self, model_id: str) -> list[Model]:
        """The model, its parent, and so on up to the base."""
        chain = [self.get(model_id)]
        while chain[-1].parent:
            chain.append(self.get(chain[-1].parent))
        return chain

    def masters(self) -> list[str]:
        """Every master that has a champion."""
        rows = self.workspace.store.execute("SELECT DISTINCT master FROM aliases ORDER BY master")
        return [row[0] for row in rows]

    def start(self, master: str, now: datetime) -> Model:
        """The master's champion; at first that is the base, which is registered here."""
        serving = self.serving(master)
        if serving is not None:
            return serving
        base = Model(f"{master}-{BASE}", master, None, "", "", "", stamp(now))
        if self.find(base.id) is None:
            self.add(base)
        self.set_alias(master, CHAMPION, base.id, now, why="the first")
        return base

    def set_alias(
        self, master: str, alias: str, model: str | None, now: datetime, *, why: str
    ) -> None:
        """From now on ``alias`` is that model, or nobody."""
        self.workspace.store.execute(
            "INSERT INTO aliases (master, alias, model, since, why) VALUES (?, ?, ?, ?, ?)",
            (master, alias, model, stamp(now), why),
        )

    def serving(
        self, master: str, alias: str = CHAMPION, at: datetime | None = None
    ) -> Model | None:
        """Who is champion (or challenger) of a master, now or at a time: one query."""
        row = self.workspace.store.execute(
            "SELECT models.* FROM aliases LEFT JOIN models ON models.id = aliases.model"
            " WHERE aliases.master = ? AND alias = ? AND since <= ?"
            " ORDER BY since DESC, number DESC LIMIT 1",
            (master, alias, "9999" if at is None else stamp(at)),
        ).fetchone()
        return None if row is None or row["id"] is None else _model(row)

    def history(self, master: str) -> list[dict[str, Any]]:
        """Every change of an alias, in order."""
        rows = self.workspace.store.execute(
            "SELECT number, alias, model, since, why FROM aliases WHERE master = ?"
            " ORDER BY since, number",
            (master,),
        )
        return [dict(row) for row in rows]

    def previous_champion(self, master: str) -> Model | None:
        """Who was champion before the present one."""
        present = self.serving(master)
        for change in reversed(self.history(master)):
            if change["alias"] == CHAMPION and present and change["model"] != present.id:
                return self.get(change["model"])
        return None

    def folder(self, model: Model) -> Path:
        return self.workspace.models / model.folder

    def check_files(self, model: Model) -> None:
        """Raises ``ModelError`` when a model's files are gone or are not those registered."""
        if not model.folder:
            return
        folder = self.folder(model)
        if not folder.is_dir():
            raise ModelError(
                f"model {model.id} points at {folder}, which is gone; put it back from a backup,"
                " or train again"
            )
        if hash_folder(folder) != model.bytes_hash:
            raise ModelError(
                f"the files of model {model.id} in {folder} are not those that were registered;"
                " put them back from a backup, or train again"
            )


def hash_folder(folder: Path) -> str:
    """One hash of all files below a folder, names and bytes."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _model(row: Any) -> Model:
    values = {name: row[name] for name in Model.__dataclass_fields__}
    values["settings"], values["metrics"] = json.loads(row["settings"]), json.loads(row["metrics"])
    return Model(**values)
