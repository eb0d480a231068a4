"""What every step of one command shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import requests

from provisioning.api import Api
from provisioning.client import Client, Login, unheard
from provisioning.clock import Clock
from provisioning.config import Credentials, DesiredState, Names
from provisioning.errors import KEYS, ApiError, ProvisioningError
from provisioning.journal import Entry, Journal, Record
from provisioning.steps import Steps
from races.streams.redaction import Redactor

KEY_PLANES = {"kafka": "Kafka", "registry": "Schema Registry", "flink": "Flink"}
BINDINGS = "/iam/v2/role-bindings"
Ask = Callable[[str], bool]
SmokeTest = Callable[["Session"], Steps[str] | str]


@dataclass
class Session:
    """changes: what this run made, changed or deleted, in words; empty: nothing. notes: what a person should know.

    ask: a question, answered by the person or by --yes (unattended). agreed: topics that may be dropped. adopt: an
    environment named on the command line. sees_all: see administers.
    """

    desired: DesiredState
    credentials: Credentials
    client: Client
    clock: Clock
    redact: Redactor
    entry: Entry
    organization: str
    ask: Ask
    adopt: str = ""
    commentary_by_flink: bool = False
    unattended: bool = False
    sees_all: bool = False
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    agreed: set[str] = field(default_factory=set)

    @property
    def cloud(self) -> Api:
        return cloud_api(self.client, self.credentials, self.administers)

    def administers(self) -> bool:
        """Whether the Cloud API key sees all of the organisation, so that its 403 can mean: gone.

        Somebody always has the role OrganizationAdmin; who is not shown so much as one of them sees a part only.
        """
        if not self.sees_all:
            crn = f"crn://confluent.cloud/organization={self.organization}"
            api = cloud_api(self.client, self.credentials)
            try:
                self.sees_all = any(api.pages(BINDINGS, crn_pattern=crn, role_name="OrganizationAdmin"))
            except ApiError as error:
                if error.status != 403:
                    raise
        return self.sees_all

    @property
    def names(self) -> Names:
        """Gives the names by the environment's name; before there is one, by the one that it will have."""
        record = self.entry.get("environment") or {}
        return Names(str(record.get("name") or self.desired.journal_name))

    @property
    def lab(self) -> str:
        """The lab's id as in its ownership tag: a laptop with another Cloud API key goes on with the first one's."""
        return str((self.entry.get("account") or {}).get("lab") or self.credentials.lab)

    def need(self, slot: str) -> Record:
        record: Record | None = self.entry.get(slot)
        if record is None:
            raise ProvisioningError(f"The journal holds no {slot} yet.")
        return record

    def id(self, slot: str) -> str:
        return str(self.need(slot)["id"])

    def key(self, kind: str) -> Record | None:
        found: Record | None = (self.entry.get("keys") or {}).get(kind)
        return found

    def api(self, kind: str, patient: bool = True) -> Api:
        """Opens a service with its own key and address. kind: kafka, registry or flink."""
        key = self.key(kind)
        if key is None:
            raise ProvisioningError(f"The journal holds no {KEY_PLANES[kind]} API key yet.")
        self.redact.add(key["secret"])
        return Api(
            self.client, str(key["endpoint"]), Login(KEY_PLANES[kind], key["id"], key["secret"]), patient
        )

    @property
    def flink_path(self) -> str:
        return f"/sql/v1/organizations/{self.organization}/environments/{self.id('environment')}"

    @property
    def kafka_path(self) -> str:
        return f"/kafka/v3/clusters/{self.id('cluster')}"

    @property
    def makers(self) -> dict[str, str]:
        return self.desired.makers(self.commentary_by_flink)

    def topic(self, role: str) -> str:
        return self.desired.topics[role]

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def cloud_api(client: Client, credentials: Credentials, sees_all: Callable[[], bool] = lambda: False) -> Api:
    login = Login("Cloud", credentials.key, credentials.secret)
    return Api(client, credentials.url, login, sees_all=sees_all)


HOW_TO_KEY = (
    "Make one at https://confluent.cloud/settings/api-keys (scope: Cloud resource management; the owner needs the "
    "role OrganizationAdmin), then:\n"
    "  export CONFLUENT_CLOUD_API_KEY=…\n"
    "  export CONFLUENT_CLOUD_API_SECRET=…\n"
    "or write cloud_api_key and cloud_api_secret under confluent: in config.yaml.\n"
    "To rehearse without an account: python -m provisioning.standin"
)


def open_session(
    wanted: DesiredState,
    credentials: Credentials,
    journal_path: Path,
    ask: Ask,
    clock: Clock | None = None,
    adopt: str = "",
    session: requests.Session | None = None,
    keep: bool = True,
    by_name: bool = False,
    redact: Redactor | None = None,
    unattended: bool = False,
    say: Callable[[str], None] = unheard,
    journal: Journal | None = None,
) -> Session:
    """journal: for several sessions at once, one that they share. keep False: it is read and not written.

    by_name: the journal's entry is the configuration's, even
    if an environment is named by its id. Raises ProvisioningError.
    """
    if not (credentials.key and credentials.secret):
        missing = "Cloud API key" if not credentials.key else "secret of the Cloud API key"
        raise ProvisioningError(f"There is no {missing}.", HOW_TO_KEY, KEYS)
    if not (credentials.key + credentials.secret).isascii():  # … pasted along with the line above
        raise ProvisioningError(
            "The Cloud API key or its secret holds characters that no key has.", HOW_TO_KEY, KEYS
        )
    redact = redact or Redactor()
    redact.add(credentials.secret)
    if wanted.aws:
        redact.add(wanted.aws.access_key, wanted.aws.secret_key, wanted.aws.session_token)
    clock = clock or Clock()
    client = Client(redact, clock, session)
    client.say = say
    organization = organization_id(cloud_api(client, credentials))
    entry = _entry(journal or Journal(journal_path, keep), organization, wanted, adopt, by_name)
    for key in (entry.get("keys") or {}).values():
        redact.add(key["secret"])
    return Session(
        wanted, credentials, client, clock, redact, entry, organization, ask, adopt, unattended=unattended
    )


def _entry(journal: Journal, organization: str, wanted: DesiredState, adopt: str, by_name: bool) -> Entry:
    """Finds the entry that holds the environment named on the command line, or else the configuration's."""
    if by_name:
        return journal.entry(organization, wanted.journal_name)
    for entry in journal.entries(organization):
        if adopt and (entry.get("environment") or {}).get("id") == adopt:
            return entry
    return journal.entry(organization, adopt or wanted.journal_name)


def organization_id(cloud: Api) -> str:
    """Asks for the organisation, as the first call of every command: a wrong key fails here, before anything was
    made."""
    answer = cloud.get_object("/org/v2/organizations", page_size="1")
    if not answer.get("data"):
        raise ProvisioningError("The Cloud API key sees no organisation.")
    return str(answer["data"][0]["id"])
