"""What can go wrong, said so that the reader knows what to do next."""


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


class MissingExtra(FledglingError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, install: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs '{package}', which is not installed. Install it with: {install}"
        )
