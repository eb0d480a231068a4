"""A second person in the same organisation."""

from __future__ import annotations

from pathlib import Path

from provisioning.standin import seed
from tests.provisioning.bench import Bench, wish


def colleague(person: Bench, folder: Path, **changes: object) -> Bench:
    """Another person in the same organisation, with a Cloud API key of their own."""
    key, secret = f"KEY{folder.name.upper()}", "cfltAnotherPersonsSecretOfNoAccount"
    if key not in person.standin.state.keys:
        seed.add_cloud_key(person.standin.state, key, secret, f"u-{folder.name}")
        seed.add_role(person.standin.state, f"u-{folder.name}")
    folder.mkdir(parents=True, exist_ok=True)
    return Bench(person.standin, person.hands, folder, wish(**changes), key=key, secret=secret)
