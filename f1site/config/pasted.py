"""What people paste into config.yaml, brought into the lab's own keys before the model reads it.

Snippets of Confluent's console, of Compose files and of other clients' properties mean something definite: it is taken
as it is meant, or one line says what to write instead. Nothing here reads a file or calls anybody.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from f1site.config.model import Configuration, Kafka, keys_of, section_names
from f1site.config.source import Key, Source
from races.streams.redaction import SECRET

VARIABLE = re.compile(r"\$(?P<escaped>\$\{)|\$\{(?P<name>[A-Za-z_]\w*)(?::?-(?P<default>[^}]*))?\}")
PLACEHOLDER = re.compile(r"YOUR[_-].*|<[^<>]*>|[A-Z0-9]+(_[A-Z0-9]+){2,}|.*….*")
TO_FILL = (
    "bootstrap.servers",
    "sasl.username",
    "sasl.password",
    "schema_registry_url",
    "schema_registry_api_key",
    "schema_registry_secret",
)
RENAMED = {
    "sasl.mechanisms": "sasl.mechanism",
    "metadata.broker.list": "bootstrap.servers",
    "schema.registry.url": "schema_registry_url",
    "schema.registry.ssl.ca.location": "schema_registry_ca",
    "schema.registry.basic.auth.user.info": "basic.auth.user.info",
    "schema.registry.basic.auth.credentials.source": "basic.auth.credentials.source",
}
WITHOUT_DOT = ("acks", "retries", "debug")  # librdkafka's common properties of one word
UNDERSCORED = re.compile(
    r"(bootstrap|security|sasl|ssl|client|socket|session|request|message|metadata|linger|compression)_"
)
JAAS_LOGIN = re.compile(r"""\.(?:Plain|Scram)LoginModule\s""")
JAAS_VALUE = re.compile(r"""\b(username|password)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def as_meant(source: Source, environ: Mapping[str, str]) -> None:
    """Changes the source's values in place. Raises ConfigError."""
    # keys named x-… hold anchors and nothing else; a section's key at the top of the file says where it belongs.
    sections = section_names(Configuration)
    for key in [name for name in source.values if name.startswith("x-")]:
        del source.values[key]
    for key in [name for name in source.values if name not in sections]:
        name = {"cloud_provider": "cloud"}.get(key, key)
        at_home = [section for section, model in sections.items() if name in keys_of(model)]
        if at_home:
            raise source.wrong(
                (key,), f"stands outside a section; write {at_home[-1]}: and below it, indented, {name}:"
            )
    _expand(source, (), source.values, environ)
    kafka = source.section(("kafka",))
    _flatten(source, kafka)
    for key in list(kafka):
        own = keys_of(Kafka)
        new = RENAMED.get(key, key).removeprefix("topic.")
        if new not in own and UNDERSCORED.match(new):
            new = new.replace("_", ".")
        if new != key and new in kafka:
            raise source.wrong(("kafka", key), f"means the same as '{new}', which stands there too; keep one")
        if ("kafka", key) in source.booleans and "." in key and not SECRET.search(key):
            kafka[key] = "true" if kafka[key].lower() in ("true", "yes", "on") else "false"
        if new != key:
            source.rename(("kafka", key), ("kafka", new))
    _logins(source, kafka)
    own = keys_of(Kafka)
    for key, value in kafka.items():
        if key not in (*own, *WITHOUT_DOT) and "." not in key:
            raise source.wrong(("kafka", key), unknown(key, own))
        if key in TO_FILL and isinstance(value, str) and PLACEHOLDER.fullmatch(value):
            raise source.wrong(("kafka", key), "still holds the example's placeholder; write your own")


def _expand(source: Source, path: Key, value: Any, environ: Mapping[str, str]) -> Any:
    """${NAME} and ${NAME:-default}, as in Compose files; $${ is a ${ that stays."""
    if isinstance(value, dict):
        for key in value:
            value[key] = _expand(source, (*path, key), value[key], environ)
    elif isinstance(value, list):
        return [_expand(source, path, item, environ) for item in value]
    elif isinstance(value, str) and "${" in value:
        return VARIABLE.sub(lambda found: _variable(source, path, found, environ), value)
    return value


def _variable(source: Source, path: Key, found: re.Match[str], environ: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "${"
    value = environ.get(found["name"]) or found["default"]
    if value is None:
        raise source.wrong(
            path,
            f"names the environment variable {found['name']}, which is not set; set it, or write the value",
        )
    return value


def _flatten(source: Source, kafka: dict[str, Any]) -> None:
    """`bootstrap: {servers: …}` is bootstrap.servers, and a list of brokers is one text."""
    for key in [name for name in kafka if name != "topics"]:
        for path, value in list(_leaves((key,), kafka[key])):
            if len(path) > 1:
                place = source.places.get(("kafka", *path), "")
                kafka[".".join(path)] = value
                source.places["kafka", ".".join(path)] = place
        if isinstance(kafka[key], dict):
            del kafka[key]
    brokers = kafka.get("bootstrap.servers")
    if isinstance(brokers, list) and all(isinstance(one, str) for one in brokers):
        kafka["bootstrap.servers"] = ",".join(brokers)


def _leaves(path: Key, value: Any) -> list[tuple[Key, Any]]:
    if not isinstance(value, dict):
        return [(path, value)]
    return [leaf for key, inner in value.items() for leaf in _leaves((*path, key), inner)]


def _logins(source: Source, kafka: dict[str, Any]) -> None:
    """The forms in which a user and a password come as one text."""
    _jaas(source, kafka)
    if kafka.pop("basic.auth.credentials.source", "USER_INFO") != "USER_INFO":
        raise source.wrong(
            ("kafka", "basic.auth.credentials.source"),
            "is not taken; write schema_registry_api_key and schema_registry_secret",
        )
    both = kafka.get("basic.auth.user.info")
    if isinstance(both, str):
        del kafka["basic.auth.user.info"]
        _registry_login(source, kafka, "basic.auth.user.info", *both.partition(":")[::2])
    url = kafka.get("schema_registry_url")
    if isinstance(url, str) and "@" in url:
        # an address is shown on pages, so its login goes where the other one stands
        try:
            parts = urlsplit(url)
            user, password = unquote(parts.username or ""), unquote(parts.password or "")
        except ValueError:
            return
        kafka["schema_registry_url"] = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        _registry_login(source, kafka, "schema_registry_url", user, password)


def _jaas(source: Source, kafka: dict[str, Any]) -> None:
    jaas = kafka.get("sasl.jaas.config")
    if not isinstance(jaas, str):
        return
    found = {name: double or single for name, double, single in JAAS_VALUE.findall(jaas)}
    if not JAAS_LOGIN.search(jaas) or set(found) != {"username", "password"}:
        raise source.wrong(
            ("kafka", "sasl.jaas.config"),
            "is for Java; write sasl.username and sasl.password with what it holds",
        )
    del kafka["sasl.jaas.config"]
    for name, value in found.items():
        kafka.setdefault(f"sasl.{name}", value)


def _registry_login(source: Source, kafka: dict[str, Any], key: str, user: str, password: str) -> None:
    if kafka.get("schema_registry_api_key"):
        raise source.wrong(
            ("kafka", key),
            "holds a user and a password, and schema_registry_api_key stands there too; keep one",
        )
    kafka["schema_registry_api_key"], kafka["schema_registry_secret"] = user, password


def unknown(key: str, allowed: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(key, allowed, 1)
    hint = f"; did you mean '{near[0]}'? Allowed" if near else "; allowed"
    return f"is not known{hint}: {', '.join(allowed)}"
