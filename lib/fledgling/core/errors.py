"""What can go wrong, said so that the reader knows what to do next."""

from pathlib import Path


class FledglingError(Exception):
    """An error whose message is meant for the person at the keyboard: what, what is allowed, how to
    mend it.
    """


class ConfigError(FledglingError):
    """A configuration key, type or range is wrong."""


class DataError(FledglingError):
    """A data file is missing, broken or of another shape."""


class ModelError(FledglingError):
    """A model, adapter or checkpoint cannot be found, read or used here."""


class RunError(FledglingError):
    """A notebook run could not be started, or its outcome could not be stored."""


class StorageError(FledglingError, OSError):
    """A file cannot be written: the disk is full, or the folder may not be written to. Nothing
    half-written is left. Whoever handles ``OSError`` handles this too.
    """

    def __init__(self, path: Path, cause: OSError) -> None:
        super().__init__(cause.errno, cause.strerror or str(cause), str(path))

    def __str__(self) -> str:
        return (
            f"cannot write {self.filename}: {self.strerror}; free some space or choose another"
            " folder (nothing was changed)"
        )


class MissingExtra(FledglingError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, install: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs '{package}', which is not installed. Install it with: {install}"
        )
