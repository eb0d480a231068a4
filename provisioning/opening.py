"""From credentials and wishes to a session: the first call of every command."""

from __future__ import annotations

from pathlib import Path

import requests

from provisioning.client import Client
from provisioning.clock import Clock
from provisioning.errors import ProvisioningError
from provisioning.explain import KEYS
from provisioning.journal import Entry, Journal
from provisioning.resources.organization import organization_id
from provisioning.scrub import Scrubber
from provisioning.session import Ask, Session, cloud_api
from provisioning.wanted import Credentials, Wanted

HOW_TO_KEY = (
    "Make one at https://confluent.cloud/settings/api-keys (scope: Cloud resource management; the owner needs the "
    "role OrganizationAdmin), then:\n"
    "  export CONFLUENT_CLOUD_API_KEY=…\n"
    "  export CONFLUENT_CLOUD_API_SECRET=…\n"
    "or write cloud_api_key and cloud_api_secret under confluent: in config.yaml.\n"
    "To rehearse without an account: python -m provisioning.standin"
)


def open_session(
    wanted: Wanted,
    credentials: Credentials,
    journal_path: Path,
    ask: Ask,
    clock: Clock | None = None,
    adopt: str = "",
    session: requests.Session | None = None,
    keep: bool = True,
    by_name: bool = False,
    scrub: Scrubber | None = None,
    unattended: bool = False,
) -> Session:
    """keep False: the journal is read and not written. by_name: the journal's entry is the configuration's, even
    if an environment is named by its id. Raises ProvisioningError.
    """
    if not (credentials.key and credentials.secret):
        raise ProvisioningError("There is no Cloud API key.", HOW_TO_KEY, KEYS)
    if not (credentials.key + credentials.secret).isascii():  # … pasted along with the line above
        raise ProvisioningError(
            "The Cloud API key or its secret holds characters that no key has.", HOW_TO_KEY, KEYS
        )
    scrub = scrub or Scrubber()
    scrub.add(credentials.secret)
    if wanted.aws:
        scrub.add(wanted.aws.access_key, wanted.aws.secret_key, wanted.aws.session_token)
    clock = clock or Clock()
    client = Client(scrub, clock, session)
    organization = organization_id(cloud_api(client, credentials))
    entry = _entry(Journal(journal_path, keep), organization, wanted, adopt, by_name)
    for key in (entry.get("keys") or {}).values():
        scrub.add(key["secret"])
    return Session(
        wanted, credentials, client, clock, scrub, entry, organization, ask, adopt, unattended=unattended
    )


def _entry(journal: Journal, organization: str, wanted: Wanted, adopt: str, by_name: bool) -> Entry:
    """The one that holds the environment named on the command line, else the configuration's."""
    if by_name:
        return journal.entry(organization, wanted.journal_name)
    for entry in journal.entries(organization):
        if adopt and (entry.get("environment") or {}).get("id") == adopt:
            return entry
    return journal.entry(organization, adopt or wanted.journal_name)
