"""The files of a session: a store of facts for each recipe, the conversation, and saves."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from filelock import FileLock, Timeout

from fledgling.core.errors import DataError
from fledgling.core.files import storing, write_atomically
from fledgling.core.paths import plain_name
from fledgling.facts.store import FactStore, sum_path

MEMORY = ":memory:"


class Stores:
    """A folder that one session has open at a time; without one, nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder.expanduser().resolve() if folder else None
        self._lock = _locked(self.folder) if self.folder else None

    def release(self) -> None:
        """Let another session open the folder."""
        if self._lock:
            self._lock.release()

    def facts(self, recipe: str) -> Path | str:
        """The store of a recipe's facts."""
        return self.folder / f"{plain_name(recipe, 'recipe')}.sqlite" if self.folder else MEMORY

    @property
    def conversation(self) -> Path | str:
        """Everything beside the facts."""
        return self.folder / "conversation" / "conversation.sqlite" if self.folder else MEMORY

    @property
    def history(self) -> Path | None:
        """What was typed into the terminal, for its arrow keys."""
        return self.folder / "history.txt" if self.folder else None

    def size(self, recipe: str) -> int:
        """Bytes of a recipe's store, its log included; 0 where nothing is kept."""
        if self.folder is None:
            return 0
        path = Path(self.facts(recipe))
        files = (path, Path(f"{path}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def others(self, recipe: str) -> Iterator[Path]:
        """Every store in the folder but that of ``recipe``: of other recipes, and saves."""
        if self.folder is None:
            return
        for path in sorted([*self.folder.glob("*.sqlite"), *self.saves.glob("*.sqlite")]):
            if path != self.facts(recipe):
                yield path

    @property
    def saves(self) -> Path:
        if self.folder is None:
            raise DataError("this session keeps nothing; open it with a folder to save and load")
        return self.folder / "saves"

    def names(self) -> list[str]:
        """The saves there are."""
        return sorted(path.stem for path in self.saves.glob("*.sqlite")) if self.folder else []

    def save(self, name: str, store: FactStore) -> Path:
        """Copy an open store, whole or not at all."""
        path = self.saves / f"{plain_name(name, 'save')}.sqlite"

        def copy(temporary: Path) -> None:
            with closing(sqlite3.connect(temporary)) as other:
                store.connection.backup(other)

        write_atomically(path, copy)
        sum_path(path).unlink(missing_ok=True)  # it was of the file that stood there before
        return path

    def check(self, name: str, store: FactStore) -> Path:
        """The file of a save. Raises ``DataError`` when it is not there, is damaged, or does
        not fit ``store``.
        """
        path = self.saves / f"{plain_name(name, 'save')}.sqlite"
        if not path.exists():
            known = ", ".join(self.names()) or "none"
            raise DataError(f"there is no save {name!r}; there are: {known}")
        identity = store.state("identity")
        FactStore(path, identity[1] if identity else {}).close()
        return path

    def load(self, saved: Path, recipe: str) -> None:
        """Put a save in the place of a recipe's store, which is closed."""
        path = Path(self.facts(recipe))
        write_atomically(path, lambda temporary: shutil.copyfile(saved, temporary))
        sum_path(path).unlink(missing_ok=True)

    def remove(self, recipe: str) -> None:
        """Remove a recipe's store, which is closed."""
        if self.folder is None:
            return
        path = Path(self.facts(recipe))
        with storing(path):
            for file in (path, sum_path(path), Path(f"{path}-wal"), Path(f"{path}-shm")):
                file.unlink(missing_ok=True)


def _locked(folder: Path) -> FileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "session.lock")
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DataError(
            f"{folder} is open in another panel, terminal or notebook; close that session first"
            " (session.close(), or end its kernel), or give another folder"
        ) from error
    except OSError as error:
        raise DataError(
            f"{folder} cannot be opened: {error.strerror}; give another folder"
        ) from error
    return lock
