"""Settings from environment variables, failing loudly on a value that cannot be meant."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import dj_database_url
from dj_database_url import DBConfig

SQLITE, POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"
QUOTING = "In names and passwords write # as %23, ? as %3F, / as %2F, [ as %5B, % as %25"


def env_bool(name: str, default: bool = False) -> bool:
    """1/0, true/false, yes/no, on/off in any case. Raises SystemExit."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise SystemExit(f"{name} is '{value}'; allowed: 1, 0")


def env_count(name: str, default: int) -> int:
    """A whole number from 0. Raises SystemExit."""
    value = os.environ.get(name, "").strip() or str(default)
    if not value.isascii() or not value.isdigit():
        raise SystemExit(f"{name} is '{value}'; it must be a whole number from 0 (0: no limit)")
    return int(value)


def env_list(name: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def own_folder(name: str, default: Path) -> Path:
    """Made where it is missing, for its owner alone. Raises SystemExit."""
    folder = Path(os.environ.get(name) or default).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"{name}: {folder} cannot be made a folder ({error.strerror})") from None
    return folder


def database(name: str, file: Path) -> DBConfig:
    """The database that the variable names by its address; SQLite in the file where it names none.

    Raises SystemExit. The address itself is not shown: it may hold a password.

    No persistent connections: under ASGI each request has a thread of its own, which would leave its connection behind.
    """
    url = os.environ.get(name)
    if not url:  # a path is no address: a folder may have # or ? or %41 in its name
        return DBConfig(ENGINE=SQLITE, NAME=str(file), CONN_MAX_AGE=0)
    try:
        found = dj_database_url.parse(url, conn_max_age=0)
    except (ValueError, KeyError):
        found = DBConfig()
    if found.get("ENGINE") not in (SQLITE, POSTGRESQL):
        raise SystemExit(
            f"{name} is no address of a database; allowed: sqlite:////folder/file, "
            f"postgres://user:password@host/name. {QUOTING}"
        )
    if found["ENGINE"] == SQLITE and ("#" in url or "?" in url):
        raise SystemExit(f"{name} names no file: it has a # or a ?. {QUOTING}")
    if found["ENGINE"] == POSTGRESQL:
        _check_options(name, found.get("OPTIONS", {}))
    return found


def _check_options(name: str, options: Mapping[str, object]) -> None:
    """Raises SystemExit for what follows the ? of an address and is not libpq's."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    for option, value in options.items():
        try:
            make_conninfo(**{option: str(value)})
        except ProgrammingError:
            raise SystemExit(
                f"{name}: PostgreSQL has no option '{option}'. Take ?{option}=… out, which may be another program's "
                "own; a schema is named by ?currentSchema=NAME"
            ) from None


def secret_key(path: Path) -> str:
    """DJANGO_SECRET_KEY, else a key made at the first start and kept in a file that only its owner reads."""
    given = os.environ.get("DJANGO_SECRET_KEY")
    if given:
        return given
    if not path.exists():
        _make_key(path)
    key = path.read_text().strip()
    if not key:
        raise SystemExit(f"{path} is empty; delete it, and the next start makes a new key")
    return key


def _make_key(path: Path) -> None:
    """Whole or not at all, so that two processes that start together agree on the first one's key."""
    draft = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(50))
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
