"""Reads single settings and collects problems. Pure.

A problem never repeats the value: it may be a secret that belongs to another setting.
"""

from collections.abc import Mapping
from enum import StrEnum

from gem_core.counts import read_count
from gem_core.secret import Secret
from gem_core.settings.connection import ServicePrincipal
from gem_core.settings.ncrontab import Schedule
from gem_core.settings.rules import (
    QUEUE_RULE,
    address_problem,
    container_problem,
    is_guid,
    is_queue_name,
    is_scope,
    is_tenant,
    page_url_problem,
)
from gem_core.settings.store_address import StoreAddress, read_store_address

KEY_VAULT_REFERENCE = "@Microsoft.KeyVault("
"""The start of a setting whose reference to a secret the platform could not resolve."""
UNRESOLVED = "is an unresolved Key Vault reference"

_QUOTES = "\"'"
"""Files with settings for Docker keep them; no value of a setting begins and ends with one."""

MAX_NUMBER = 1_000_000
"""In any unit. Longer than every useful time, and short enough for datetime."""


def is_reference(text: str) -> bool:
    """Whether this is a Key Vault reference that the platform did not resolve."""
    return text.lower().startswith(KEY_VAULT_REFERENCE.lower())


class SettingReader:
    """Reads single settings.

    A missing or invalid setting adds a text to `problems` and gives a harmless value, so that all
    problems can be reported together. Each text begins with the setting's name.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def is_set(self, name: str) -> bool:
        """Whether a setting exists and is not empty."""
        return bool(self._environment.get(name, "").strip())

    def section(self, name: str) -> dict[str, str]:
        """The setting and those with `name__` before a suffix, by what follows the name."""
        return {
            key.removeprefix(name): self._environment[key].strip()
            for key in self._environment
            if (key == name or key.startswith(f"{name}__")) and self.is_set(key)
        }

    def text(
        self, name: str, default: str = "", *, required: bool = False, may_be_empty: bool = False
    ) -> str:
        """The text of a setting, without blanks at its ends.

        An empty setting counts as absent. With `may_be_empty` it does not.
        """
        value = self._environment.get(name, default).strip()
        value = value if value or may_be_empty else default
        if required and not value:
            self.problems.append(f"{name} is missing")
        if is_reference(value):
            self.problems.append(
                f"{name} {UNRESOLVED}: check that the secret exists and "
                "that the app's identity may read it (Key Vault Secrets User)"
            )
        if len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
            self.problems.append(
                f"{name} is in quotation marks, which are not part of it: remove them"
            )
            return value[1:-1]
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of a setting, separated by commas. An empty one is a problem."""
        text = self.text(name)
        found = tuple(part.strip() for part in text.split(",")) if text else ()
        if not all(found):
            self.problems.append(f"{name} has an empty entry")
        return tuple(filter(None, found))

    def header(
        self, name: str, default: str = "", *, required: bool = False, may_be_empty: bool = False
    ) -> str:
        """A text that is valid in an HTTP header."""
        value = self.text(name, default, required=required, may_be_empty=may_be_empty)
        if not value.isascii() or not value.isprintable():
            self.problems.append(f"{name} has characters that are not allowed in an HTTP header")
        return value

    def secret(self, name: str) -> Secret | None:
        """A secret text; None if it is empty."""
        value = self.text(name)
        return Secret(value) if value else None

    def url(self, name: str, default: str = "") -> str:
        """An https address, or http for this machine."""
        value = self.text(name, default)
        problem = address_problem(value) if value else ""
        if problem:
            self.problems.append(f"{name} {problem}")
        return default if problem else value

    def store(self, name: str) -> StoreAddress | None:
        """The address of a public blob service, which may have a signature; None if not set."""
        text = self.text(name)
        if not text or is_reference(text):
            return None
        try:
            return read_store_address(text)
        except ValueError as error:
            self.problems.append(f"{name} {error}")
            return None

    def page_url(self, name: str) -> str:
        """The address of report pages, with placeholders; empty if it is not set."""
        value = self.text(name)
        problem = page_url_problem(value) if value and not is_reference(value) else ""
        if problem:
            self.problems.append(f"{name} {problem}")
        return "" if problem else value

    def number(self, name: str, default: float, *, zero: bool = False, least: float = 0) -> float:
        """A number above 0 (with `zero` also 0), and at least `least`. The name gives the unit."""
        text = self.text(name, str(default))
        try:
            value = float(text)
        except ValueError:
            value = -1
        if not least <= value <= MAX_NUMBER or (value == 0 and not zero):
            lowest = f"from {least:g}" if zero or least else "above 0 and"
            self.problems.append(f"{name} is not a number {lowest} up to {MAX_NUMBER:,}")
            return default
        return value

    def count(self, name: str, default: int, *, most: int, zero: bool = False) -> int:
        """A whole number from 1 (with `zero` from 0) to `most`."""
        text = self.text(name, str(default))
        try:
            return read_count(text, least=0 if zero else 1, most=most)
        except ValueError as error:
            self.problems.append(f"{name} {error}")
            return default

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        text = self.text(name).lower()
        if text in {"", "true", "false"}:
            return default if not text else text == "true"
        self.problems.append(f"{name} is not true or false")
        return default

    def choice[E: StrEnum](self, name: str, default: E) -> E:
        """One of the values of an enum, in upper or lower case."""
        text = self.text(name, default)
        for member in type(default):
            if member.lower() == text.lower():
                return member
        words = " or ".join(type(default))
        self.problems.append(f"{name} is not {words}")
        return default

    def schedule(self, name: str, default: str) -> Schedule:
        """An NCRONTAB schedule. Only spaces at its ends are ignored, as the trigger does."""
        self.text(name)  # reports an unresolved Key Vault reference
        text = self._environment.get(name, "").strip(" ") if self.is_set(name) else default
        try:
            return Schedule.parse(text)
        except ValueError as error:
            self.problems.append(f"{name} is not an NCRONTAB schedule: {error}")
            return Schedule.parse(default)

    def queue_name(self, name: str, default: str) -> str:
        """The name of a results queue (Naming Queues and Metadata, Azure Storage)."""
        text = self.text(name, default)
        if not is_queue_name(text):
            self.problems.append(f"{name} is not a queue name ({QUEUE_RULE})")
            return default
        return text

    def container(self, name: str, default: str) -> str:
        """The name of a container, which may contain {storageId}."""
        text = self.text(name, default)
        problem = "" if is_reference(text) else container_problem(text)
        if problem:
            self.problems.append(f"{name} {problem}")
        return default if problem else text

    def principal(self, tenant: str, client: str, secret: str) -> ServicePrincipal | None:
        """A service principal: all three settings, or none of them."""
        values = {name: self.text(name) for name in (tenant, client, secret)}
        missing = [name for name, value in values.items() if not value]
        if len(missing) == len(values):
            return None
        self.problems.extend(
            f"{name} is missing: set {tenant}, {client} and {secret}, or none of them"
            for name in missing
        )
        text = values[tenant]
        if text and not is_tenant(text) and not is_reference(text):
            self.problems.append(f"{tenant} is not the id or domain of a tenant")
        self._check_client_id(client, values[client], swapped_with=secret)
        return ServicePrincipal(values[tenant], values[client], Secret(values[secret]))

    def client_id(self, name: str) -> str:
        """The id of an application or of an identity; empty if it is not set."""
        text = self.text(name)
        self._check_client_id(name, text)
        return text

    def _check_client_id(self, name: str, text: str, *, swapped_with: str = "") -> None:
        if text and not is_guid(text) and not is_reference(text):
            hint = f" (is it swapped with {swapped_with}?)" if swapped_with else ""
            self.problems.append(f"{name} is not a client id, which is a GUID{hint}")

    def scope(self, name: str, default: str) -> str:
        """What a token is for: a resource and a permission."""
        text = self.text(name, default)
        if not is_scope(text) and not is_reference(text):
            self.problems.append(f"{name} is not a scope, such as {default}")
            return default
        return text
