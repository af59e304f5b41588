"""Settings of who calls: wrong ones are named, and unsafe ones refused in production."""

import os
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.settings import WrongSettings, load
from tests.house.test_settings import PRODUCTION

ISSUER = "https://login.example.com/realms/company"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in os.environ if one.upper().startswith("MULTICANAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def named(monkeypatch: pytest.MonkeyPatch, **values: str) -> list[str]:
    """The settings that are called wrong."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    try:
        load()
    except WrongSettings as fault:
        lines = fault.problems
    else:
        lines = []
    assert not [line for line in lines if any(one in line for one in values.values())]
    return [line.split(":")[0] for line in lines]


def test_nobody_is_trusted_unless_it_is_said() -> None:
    access = load().access

    assert (access.proxies, access.rules()) == ((), None)


def test_proxies_are_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTICANAL_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7 ,2001:db8::/32,")

    expected = tuple(ip_network(one) for one in ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32"))
    assert load().access.proxies == expected


@pytest.mark.parametrize("value", ["everybody", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8;::1"])
def test_what_is_no_network_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert named(monkeypatch, MULTICANAL_TRUSTED_PROXIES=value) == ["MULTICANAL_TRUSTED_PROXIES"]


def test_an_issuer_needs_an_audience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one, what the issuer made for any other service would be taken here."""
    wrong = named(monkeypatch, MULTICANAL_OIDC_ISSUER=ISSUER)
    assert wrong == ["MULTICANAL_OIDC_AUDIENCE"]

    assert named(monkeypatch, MULTICANAL_OIDC_AUDIENCE="multicanal") == []
    rules = load().access.rules()
    assert rules is not None
    assert (rules.issuer, rules.client_claims) == (ISSUER, ["azp", "client_id"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MULTICANAL_OIDC_ISSUER", "login.example.com"),
        ("MULTICANAL_OIDC_ISSUER", "https://user:word@login.example.com"),
        ("MULTICANAL_OIDC_JWKS_URL", "file:///etc/keys"),
        ("MULTICANAL_OIDC_CLIENT_CLAIM", "azp,,sub"),
        ("MULTICANAL_OIDC_SCOPE_CLAIM", "a,b"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("MULTICANAL_OIDC_AUDIENCE", "multicanal")

    assert named(monkeypatch, **{name: value}) == [name]


def test_production_trusts_keys_over_https_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MULTICANAL_OIDC_AUDIENCE", "multicanal")
    assert named(monkeypatch, MULTICANAL_OIDC_ISSUER=ISSUER) == []

    plain = {
        "MULTICANAL_OIDC_ISSUER": "http://login.example.com",
        "MULTICANAL_OIDC_JWKS_URL": "http://login.example.com/keys",
    }
    assert named(monkeypatch, **plain) == list(plain)
