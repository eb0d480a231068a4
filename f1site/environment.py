"""The environment, .env and /run/secrets: one typed model, which fails loudly on a value that cannot be meant.

What stands in the environment wins over .env beside manage.py, and that over a file in /run/secrets. A secret's file
is named like its variable, in either case: /run/secrets/django_secret_key.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import secrets
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from f1site.config.errors import EnvironmentProblem
from f1site.config.model import comma_separated

SECRETS = Path("/run/secrets")
MAX_SECRET_BYTES = 64 * 1024
OURS = "F1_"
SQLITE, POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"
QUOTING = "In names and passwords write # as %23, ? as %3F, / as %2F, [ as %5B, % as %25"
NEARLY = 0.9  # as alike as a name must be to one of ours to be a slip of it: DATABSE_URL


Count = Annotated[int, Field(ge=0)]
Names = Annotated[list[str], NoDecode, BeforeValidator(comma_separated)]
Secret = Annotated[str, Field(repr=False)]


class Environment(BaseSettings):
    """Each field is the variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    f1_config: str = ""
    f1_var_dir: Path | None = None
    f1_journal: str = ""
    f1_lab: str = ""
    f1_maven: str = ""
    f1_anomaly_detection: bool = False
    f1_log_json: bool = False
    f1_max_races: Count = 100
    f1_max_races_per_client: Count = 5
    f1_max_sockets_per_client: Count = 20
    database_url: Secret = ""
    django_secret_key: Secret = ""
    django_debug: bool = False
    django_https: bool = False
    django_allowed_hosts: Names = []
    django_csrf_trusted_origins: Names = []
    confluent_cloud_api_key: Secret = ""
    confluent_cloud_api_secret: Secret = ""
    confluent_cloud_url: str = ""
    aws_access_key_id: Secret = ""
    aws_secret_access_key: Secret = ""
    aws_session_token: Secret = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what read_environment passes in: it has put the places together already."""
        return (init_settings,)


class _Variables(EnvSettingsSource):
    """pydantic-settings' own reading of variables, from a mapping instead of the process's."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        super().__init__(Environment)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._variables.items() if value.strip()}


def read_variables(
    base: Path, environ: Mapping[str, str] = os.environ, secrets_folder: Path = SECRETS
) -> Mapping[str, str]:
    """The environment with .env and /run/secrets behind it, as one mapping. Raises EnvironmentProblem."""
    # a name of ours that is not known ends the start: it would have no effect
    path = base / ".env"
    text = _text(path) if path.exists() else ""
    for found in parse_stream(io.StringIO(text)):
        line = found.original.line
        if found.error:
            raise EnvironmentProblem(f"{path}, line {line}: is no NAME=value")
        if found.key and (words := _unknown(found.key)):
            raise EnvironmentProblem(f"{path}, line {line}: '{found.key}' {words}")
    values = dotenv_values(stream=io.StringIO(text))
    dotenv = {name: value for name, value in values.items() if value is not None}
    # ChainMap takes a dict that it may write to; nobody writes to this one.
    return ChainMap(environ, dotenv, _secret_files(secrets_folder))  # type: ignore[arg-type]  # only read


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Raises EnvironmentProblem."""
    try:
        return Environment(**_Variables(variables)())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]).upper()
        kind = first["type"]
        allowed = (
            "allowed: 1, 0" if kind.startswith("bool") else "it must be a whole number from 0 (0: no limit)"
        )
        raise EnvironmentProblem(f"{name} is '{variables.get(name, '')}'; {allowed}") from None


def _unknown(name: str) -> str:
    """Why a variable cannot be meant; empty for ours, for those of a section, and for those of other programs."""
    known = [field.upper() for field in Environment.model_fields]
    if name in known or (name.startswith(OURS) and "__" in name):
        return ""
    near = difflib.get_close_matches(name, known, 1, 0.6 if name.startswith(OURS) else NEARLY)
    if not near and not name.startswith(OURS):
        return ""
    return (
        f"is not known; did you mean '{near[0]}'?"
        if near
        else "is not known; docs/reference.md has the names"
    )


def _secret_files(folder: Path) -> dict[str, str]:
    """Docker's and Kubernetes' secrets: a file each, of which only the names that we know are opened."""
    known = {field.upper() for field in Environment.model_fields}
    try:
        files = [path for path in folder.iterdir() if path.is_file()]
    except OSError:
        return {}
    names = {path: path.name.upper() for path in files}
    ours = {
        path: name
        for path, name in names.items()
        if name in known or (name.startswith(OURS) and "__" in name)
    }
    return {name: _text(path).strip() for path, name in ours.items()}


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise EnvironmentProblem(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > MAX_SECRET_BYTES:
        raise EnvironmentProblem(f"{path}: is longer than {MAX_SECRET_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise EnvironmentProblem(f"{path}: is not UTF-8 text; save the file as UTF-8") from None


def own_folder(given: Path | None, default: Path) -> Path:
    """Made where it is missing, for its owner alone. Raises EnvironmentProblem."""
    folder = (given or default).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(f"F1_VAR_DIR: {folder} cannot be made a folder ({error.strerror})") from None
    return folder


def database(url: str, file: Path) -> dict[str, Any]:
    """Django's settings for the database of the address; SQLite in the file where there is none.

    Raises EnvironmentProblem. The address itself is not shown: it may hold a password.

    Connections do not persist: under ASGI each request has a thread of its own, which would leave its connection
    behind. Those of PostgreSQL go back into a pool.
    """
    if not url:  # a path is no address: a folder may have # or ? or %41 in its name
        with contextlib.suppress(OSError):  # there already, or a folder that SQLite will complain of
            _write_private(file, "")  # it holds hashes of passwords, and the folder may be open to others
        return {"ENGINE": SQLITE, "NAME": str(file), "CONN_MAX_AGE": 0}
    try:
        found = _parsed(url)
    except ValueError:
        found = None
    if found is None:
        raise EnvironmentProblem(
            "DATABASE_URL is no address of a database; allowed: sqlite:////folder/file, "
            f"postgres://user:password@host/name. {QUOTING}"
        )
    if found["ENGINE"] == SQLITE and ("#" in url or "?" in url):
        raise EnvironmentProblem(f"DATABASE_URL names no file: it has a # or a ?. {QUOTING}")
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    for option, value in found.get("OPTIONS", {}).items():
        try:
            make_conninfo(**{option: str(value)})
        except ProgrammingError:
            raise EnvironmentProblem(
                f"DATABASE_URL: PostgreSQL has no option '{option}'. Take ?{option}=… out, which may be another "
                "program's own; a schema is named by ?currentSchema=NAME"
            ) from None
    return found | {"CONN_MAX_AGE": 0}


def _parsed(url: str) -> dict[str, Any] | None:
    """None for another kind of database, or where no database is named. Raises ValueError where the address is none."""
    parts = urlsplit(url)
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme == "sqlite":
        return {"ENGINE": SQLITE, "NAME": name} if name and not parts.netloc else None
    if parts.scheme not in ("postgres", "postgresql", "pgsql") or not name:
        return None
    host = parts.netloc.rpartition("@")[2]
    if parts.port is not None:
        host = host.rpartition(":")[0]
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if schema := options.pop("currentSchema", ""):
        options["options"] = f"-c search_path={schema}"
    return {
        "ENGINE": POSTGRESQL,
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(host.strip("[]")),  # a folder of sockets is written %2Fvar%2Frun
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def secret_key(given: str, path: Path) -> str:
    """The given one, else a key made at the first start and kept in a file that only its owner reads.

    Raises EnvironmentProblem.
    """
    if given:
        return given
    try:
        if not path.exists():
            # whole or not at all, so that two processes that start together agree on the first one's key
            draft = path.with_suffix(f".{os.getpid()}")
            try:
                _write_private(draft, secrets.token_urlsafe(50))
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was faster
            except OSError:  # a file system without links: exFAT, VirtualBox, Termux
                with contextlib.suppress(FileExistsError):
                    _write_private(path, draft.read_text())
            finally:
                draft.unlink(missing_ok=True)
        key = path.read_text().strip()
    except OSError as error:
        raise EnvironmentProblem(
            f"{path} cannot be read or made ({error.strerror}); give its folder to the user who starts the lab, or set "
            "DJANGO_SECRET_KEY"
        ) from None
    if not key:
        raise EnvironmentProblem(f"{path} is empty; delete it, and the next start makes a new key")
    return key


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
