"""Each secret by each door, plain and percent-encoded, whole and cut: none gets out.

GEM, storage and the identity endpoint repeat secrets in everything that they answer.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, quote

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    generate_account_sas,
)

from devkit.azurite import ACCOUNT, KEY, Azurite
from devkit.stage import OUTPUT_CONTAINER, make_stores, sample_settings
from tests.builders import OUTPUT, finished, matched_file
from tests.gem.raw_server import RawServer, Write
from tests.gem.server import Asked, Reply, ScriptedServer
from tests.integration.secret_doors import (
    TICK,
    Call,
    Doors,
    Run,
    forms,
    http,
    read_stores,
    ticket,
    use,
)

SECRETS = {
    "GEM's key": "K3y+Of/TomTom=Qx8aB3dEfGh1",
    "token": "eyJ0eXAiOiJKV1Qi.bWF0cml4LXRva2Vu.c2lnbmF0dXJl",
    "client secret": "Zz8Q~secret.of-Entra_01aBcD",
    "identity header": "header+secret/0123456789",
    "storage key": KEY,
}
"""And the signature of each run, which storage must accept."""
type Wrong = Callable[[str], dict[str, str]]
GUID = "5e0b1d3c-7c4f-4f0e-9d61-2a8b3c4d5e6f"
pytestmark = [pytest.mark.azurite, pytest.mark.slow]


class Gem(ScriptedServer):
    """Repeats the secret by whose number a job is named."""

    def __init__(self, secrets: list[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def reply(self, asked: Asked) -> Reply:
        job = asked.path.rpartition("/")[2]
        kind, _, number = job.partition("-")
        if not number.isdigit():
            return Reply(404)
        shown = forms(self._secrets[int(number)])
        if kind == "error":
            detail = {"code": shown[0], "message": " ".join(shown)}
            return Reply(400, json.dumps({"detailedError": detail}).encode())
        answer = finished() if kind == "done" else finished() | {"status": shown[0]}
        echo = {
            **{f"more{n}": text for n, text in enumerate(shown)},
            shown[0]: {shown[1]: [shown[2]]},
            "matchingType": shown[4],
            "createdAt": shown[1],
            "error": " ".join(shown),
        }
        answer["statistics"] = answer["statistics"] | {shown[3]: shown[5]}
        body = answer | echo | {"jobRunId": job, "inputFileName": f"{shown[0][:12]}.parquet"}
        return Reply(
            body=json.dumps(body).encode(), headers={"X": shown[0], "Set-Cookie": shown[1]}
        )


class Identity(ScriptedServer):
    """Gives the token, if it gets its header."""

    def reply(self, asked: Asked) -> Reply:
        assert asked.headers["x-identity-header"] == SECRETS["identity header"]
        token = {"access_token": SECRETS["token"], "expires_on": "4102444800", "resource": "r"}
        return Reply(body=json.dumps(token).encode(), headers={"Content-Type": "application/json"})


def echo(write: Write, _: object, *, status: str, shown: str) -> None:
    """An answer of a server that repeats all secrets everywhere, also where no header may be."""
    body = json.dumps({"error": shown, "detailedError": {"code": shown, "message": shown}})
    write(
        f"HTTP/1.1 {status} {shown}\r\nx-ms-request-id: {shown}\r\nno colon {shown}\r\n"
        f"Location: http://{shown}\r\nx-ms-error-code: {shown}\r\nServer: {shown}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n{body}".encode()
    )


def signature() -> str:
    return generate_account_sas(
        ACCOUNT, KEY, ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, list=True), datetime.now(UTC) + timedelta(hours=1),
    )  # fmt: skip


def base_settings(gem: str, identity: str) -> dict[str, str]:
    return sample_settings() | {
        "GEM_API_BASE_URL": gem,
        "GEM_API_KEY": SECRETS["GEM's key"],
        "GEM_BEARER_TOKEN": "",
        "AZURE_CLIENT_SECRET": SECRETS["client secret"],
        "IDENTITY_ENDPOINT": f"{identity}/token",
        "IDENTITY_HEADER": SECRETS["identity header"],
    }


@contextmanager
def running() -> Iterator[tuple[Azurite, dict[str, str], dict[str, str]]]:
    """Storage that works, and servers that repeat; the settings and the secrets of the run."""
    with Azurite() as azurite, Identity() as identity:
        make_stores(azurite.connection_string)
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            output = blobs.get_blob_client(OUTPUT_CONTAINER, OUTPUT)
            output.upload_blob(io.BytesIO(matched_file()))
        sas = signature()
        secrets = SECRETS | {"signature": parse_qs(sas)["sig"][0]}
        with Gem(list(secrets.values())) as gem:
            settings = base_settings(gem.url, identity.url) | {
                "GEM_STATE": azurite.connection_string,
                "GEM_OUTPUT": f"BlobEndpoint={azurite.blob_uri};SharedAccessSignature={sas}",
            }
            yield azurite, settings, secrets


def live(doors: Doors, azurite: Azurite, settings: dict[str, str], *, net: bool) -> None:
    """The life of jobs whose answers hold secrets: registered, checked, delivered, shown."""
    number = range(len(SECRETS) + 1)
    kinds = ("done", "odd", "error")
    jobs = [f"{kind}-{each}" for kind in kinds for each in number]
    done = [job for job in jobs if job.startswith("done")]
    calls = [
        *(http("register_job", job) for job in jobs),
        TICK,
        *(ticket(job) for job in done),
        *(http("check_job", job) for job in jobs),
        *(http("show_job", job) for job in jobs),
        *(http(name) for name in ("list_jobs", "list_trouble", "status", "doctor")),
    ]
    commands = [
        ["jobs", "list"], ["jobs", "list", "--trouble"], ["jobs", "show", *jobs],
        ["jobs", "show", "--manifest", *done], ["jobs", "show", "--report", *done], ["doctor"],
        ["jobs", "check", *jobs],
    ]  # fmt: skip
    use(doors, Run(settings, calls, commands), net=net)
    read_stores(doors, azurite.connection_string)


def test_no_secret_gets_out_while_the_app_works() -> None:
    doors = Doors()
    with running() as (azurite, settings, secrets):
        live(doors, azurite, settings, net=True)
    assert '"valid' in doors.texts["queue"]
    assert set(doors.texts) >= {
        *("log", "route", "doctor", "cli", "gem-jobs", "gem-outbox", "report.json", "report.html"),
        "queue",
    }
    assert doors.hits(secrets) == set()


def test_without_the_net_they_would() -> None:
    """The doors by which GEM's answers leave as they came."""
    doors = Doors()
    with running() as (azurite, settings, secrets):
        live(doors, azurite, settings, net=False)
    by_answers = {"log", "route", "cli", "gem-jobs", "gem-outbox", "report.json", "queue"}
    assert doors.hits(secrets) >= {(door, name) for door in by_answers for name in secrets}


ROUTES = [http(name, "job-1") for name in ("status", "show_job", "list_jobs", "list_trouble")]
BATCH: Call = ("check_batch", "batch", "string", "text of a queue", {})
COMMANDS = [["jobs", "list"], ["jobs", "show", "job-1"], ["poison", "list"], ["doctor"]]


@contextmanager
def repeating(*statuses: str, secrets: Mapping[str, str]) -> Iterator[list[tuple[str, str]]]:
    """Each status, and the address of a server that answers with it and repeats all secrets."""
    shown = " ".join(form for secret in secrets.values() for form in forms(secret))
    with ExitStack() as stack:
        servers = [
            stack.enter_context(RawServer(partial(echo, status=status, shown=shown)))
            for status in statuses
        ]
        yield [(status, server.url) for status, server in zip(statuses, servers, strict=True)]


def test_no_secret_gets_out_when_gem_repeats_it_everywhere() -> None:
    doors = Doors()
    calls = [http("register_job", "job-1"), TICK, http("check_job", "job-1"), *ROUTES]
    commands = [["jobs", "check", "job-1"], *COMMANDS]
    with (
        running() as (_, settings, secrets),
        repeating("401", "403", "302", "200", "400", secrets=secrets) as servers,
    ):
        runs = [
            Run(settings | {"GEM_API_BASE_URL": url}, [*calls, http("doctor")], commands, status)
            for status, url in servers
        ]
        use(doors, *runs)
    # A 400 about a job that cannot exist is an answer of a GEM that works.
    for status in {status for status, _ in servers} - {"200", "400"}:
        assert f"GEM answered {status}" in doors.texts[f"{status}doctor"]
    assert doors.hits(secrets) == set()


def state_at(url: str, sas: str) -> dict[str, dict[str, str]]:
    """The settings of a state storage at this address, by what opens it."""
    account = f"BlobEndpoint={url}/a;QueueEndpoint={url}/a"
    return {
        "key": {"GEM_STATE": f"{account};AccountName=a;AccountKey={KEY}"},
        "signature": {"GEM_STATE": f"{account};SharedAccessSignature={sas}"},
    }


@pytest.mark.parametrize("status", ["400", "403", "404", "409"])
def test_no_secret_gets_out_when_storage_and_entra_repeat_it_everywhere(status: str) -> None:
    sas = signature()
    secrets = SECRETS | {"signature": parse_qs(sas)["sig"][0]}
    doors = Doors()
    with repeating(status, secrets=secrets) as [(_, url)]:
        runs = []
        for by, state in state_at(url, sas).items():
            output = f"BlobEndpoint={url}/a;SharedAccessSignature={sas}"
            settings = base_settings(url, url) | state | {"GEM_OUTPUT": output}
            file = f"{url}/account/container/file.parquet?{sas}"
            commands = [*COMMANDS, ["audit", file], ["audit", f"{file}#x"]]
            calls = [TICK, BATCH, ticket("job-1"), *ROUTES, http("doctor")]
            runs.append(Run(settings, calls, commands, f"{status} {by} "))
        use(doors, *runs)
    for run in runs:
        assert "FunctionFailed: Store" in doors.texts[f"{run.label}host"]
    assert doors.hits(secrets) == set()


WRONG: dict[str, Wrong] = {
    "id and secret swapped": lambda secret: {
        "GEM_TENANT_ID": GUID, "GEM_CLIENT_ID": secret, "GEM_CLIENT_SECRET": GUID,
    },
    "a key as a number": lambda secret: {"GEM_CHECK_CONCURRENCY": secret},
    "a key as a queue": lambda secret: {"GEM_RESULTS_QUEUE": secret},
    "a key as a schedule": lambda secret: {"GEM_CHECK_SCHEDULE": secret},
    "a key as a tenant": lambda secret: {
        "GEM_TENANT_ID": secret, "GEM_CLIENT_ID": GUID, "GEM_CLIENT_SECRET": secret,
    },
    "a bad port": lambda secret: {
        "GEM_STATE": "BlobEndpoint=https://h:99999;QueueEndpoint=https://h:bad;"
        f"SharedAccessSignature=sv=1&sig={quote(secret)}"
    },
    "a key in an address": lambda secret: {"GEM_API_BASE_URL": f"https://x:{secret}@h/?sig={secret}"},
    "a key without its account": lambda secret: {"GEM_STATE": f"AccountKey={secret}"},
}  # fmt: skip


def test_no_secret_gets_out_when_it_is_in_the_wrong_setting() -> None:
    """One secret here; tests/settings/test_secrets.py has every setting."""
    secret = SECRETS["client secret"]
    doors = Doors()
    with repeating("403", secrets=SECRETS) as [(_, url)]:
        stores = state_at(url, "")["key"] | {"GEM_OUTPUT": state_at(url, "")["key"]["GEM_STATE"]}
        runs = [
            Run(
                base_settings(url, url) | stores | wrong(secret),
                [TICK, BATCH, ticket("job-1"), *ROUTES, http("doctor")],
                [*COMMANDS, ["jobs", "check", "job-1"]],
                label,
            )
            for label, wrong in WRONG.items()
        ]
        use(doors, *runs)
    for label in WRONG:
        assert "SettingsError" in doors.texts[f"{label}host"]
    assert doors.hits(SECRETS) == set()
