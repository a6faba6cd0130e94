"""The one folder that everything is kept in, and what is remembered there between two starts."""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Self

from maillane_local.errors import LocalError

KEY_BYTES = 32
"""What AES-256 takes, and more than anybody guesses."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Made once for a data folder: without them, what is stored there cannot be read again."""

    service_key: str
    secret_key: str
    postgres_password: str
    valkey_password: str

    @classmethod
    def fresh(cls) -> Self:
        """New ones, at random."""
        return cls(
            service_key=secrets.token_urlsafe(KEY_BYTES),
            secret_key=base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode(),
            postgres_password=secrets.token_urlsafe(KEY_BYTES),
            valkey_password=secrets.token_urlsafe(KEY_BYTES),
        )


class DataFolder:
    """A data folder that is ours alone while it is open: a second system on it is refused."""

    def __init__(self, path: Path) -> None:
        """Names the folder; `open` takes it."""
        self.path = path.absolute()
        self._lock: IO[str] | None = None

    @property
    def token_file(self) -> Path:
        """Where the first API token is."""
        return self.path / "token"

    def open(self) -> None:
        """Makes the folder if it is absent, and locks it until `close` or until this process is gone.

        Raises:
            LocalError: it cannot be written, or another system has it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise LocalError(
                f"the data folder {self.path} cannot be written ({error.strerror}); name another: MAILLANE_DATA=/path"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise LocalError(f"another Maillane runs on {self.path}; stop it, or set MAILLANE_DATA and ports") from None
        self._lock = lock

    def close(self) -> None:
        """Lets others have it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def is_open(self) -> bool:
        """Whether it is ours now."""
        return self._lock is not None

    def is_open_elsewhere(self) -> bool:
        """Whether another system runs on it now. Of a folder that cannot be used, `open` says why."""
        try:
            with (self.path / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def secrets(self) -> Secrets:
        """This folder's secrets, made when first asked for, readable by its owner only."""
        path = self.path / "secrets.json"
        if not path.exists():
            self.remember("secrets", asdict(Secrets.fresh()))
        return Secrets(**json.loads(path.read_text()))

    def remember(self, name: str, values: Mapping[str, object]) -> None:
        """Keeps some values, in one atomic step, readable by the owner only."""
        path = self.path / f"{name}.json"
        staged = path.with_suffix(".new")
        staged.unlink(missing_ok=True)
        staged.touch(mode=0o600)
        with staged.open("w") as file:
            json.dump(values, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)

    def forget(self, name: str) -> None:
        """Keeps it no longer; it may be gone already."""
        (self.path / f"{name}.json").unlink(missing_ok=True)

    def remembered(self, name: str) -> dict[str, object]:
        """What was kept under that name; nothing if there is none, or if it cannot be read."""
        try:
            values = json.loads((self.path / f"{name}.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return values if isinstance(values, dict) else {}
