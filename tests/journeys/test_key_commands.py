"""The commands for keys and clients, on a store of their own."""

from collections.abc import Iterator

import pytest

from tests.journeys.shell import Shell, opened
from tests.journeys.system import System
from tests.postgres import Postgres


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("commands")
    url = f"sqlite:///{folder / 'store.db'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create("commands")
    with opened(System(folder, url)) as shell:
        if request.param == "postgresql":
            assert "migrate" in shell.refused("keys", "list")
            shell.run("migrate")
        yield shell


def test_a_key_is_made_listed_rotated_and_revoked(shell: Shell) -> None:
    options = ("--scopes", "sms:send", "--networks", "10.0.0.0/8,192.0.2.7", "--label", "Clé")
    key = shell.run("keys", "create", "--name", "billing", "--mode", "test", *options)[-1]
    visible, secret = key.rsplit("_", 1)

    assert visible.startswith("gw_test_")
    (line,) = shell.run("keys", "list")
    for told in (visible, "billing", "active", "never", "sms:send", "10.0.0.0/8,192.0.2.7/32"):
        assert told in line
    assert secret not in line
    assert "Clé" in line

    new = shell.run("keys", "rotate", "--id", visible, "--overlap", "7d")[-1]
    assert new.startswith("gw_test_")
    first, second = shell.run("keys", "list", "--name", "billing")
    assert new.rsplit("_", 1)[0] in first
    assert "active until" in second

    assert shell.run("keys", "revoke", "--id", visible.rsplit("_", 1)[1]) == ["revoked"]
    assert shell.run("keys", "revoke", "--id", visible) == ["revoked"]
    assert "revoked" in shell.run("keys", "list")[1]
    assert "revoked or has expired" in shell.refused("keys", "rotate", "--id", visible)


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--name", " "),
        ("create", "--name", "x", "--scopes", "sms:read"),
        ("create", "--name", "x", "--networks", "10.0.0.1/8"),
        ("create", "--name", "x", "--mode", "production"),
        ("create", "--name", "x", "--scopes", ""),
        ("create", "--name", "x", "--networks", ""),
        ("create", "--name", "x", "--networks", "::ffff:10.0.0.0/104"),
        ("create", "--name", "x", "--label", "L" * 101),
        ("create", "--name", "x", "--label", "A\tB"),
        ("rotate", "--id", "gw_live_0000000000"),
        ("rotate", "--id", "gw_live_0000000000", "--overlap", "soon"),
        ("revoke", "--id", "gw_live_0000000000"),
        ("revoke", "--id", "x"),
    ],
)
def test_what_cannot_be_done_with_keys_is_said(shell: Shell, arguments: tuple[str, ...]) -> None:
    shell.refused("keys", *arguments)


def test_a_clients_options_and_team_are_set(shell: Shell) -> None:
    options = ("--unique-references", "--idempotency", "required", "--rate", "5")
    quotas = ("--quota", "sms=1000", "--quota", "letter=0")
    usual = "unique_references=true  idempotency=required  rate=5"

    set_ = shell.run("clients", "set", "--name", "billing", *options, *quotas)
    assert set_ == [f"billing  {usual}  quotas=sms=1000,letter=0"]
    lifted = shell.run("clients", "set", "--name", "billing", "--quota", "sms=none")
    assert lifted == [f"billing  {usual}  quotas=letter=0"]
    back = ("--idempotency", "deployment", "--rate", "0", "--no-unique-references")
    shell.run("clients", "set", "--name", "billing", *back, "--quota", "letter=none")
    none = "unique_references=false  idempotency=deployment  rate=deployment  quotas=none"
    assert shell.run("clients", "list") == [f"billing  {none}"]

    team = ("clients", "team")
    both = ("--address", "Marie@Exemple.fr", "--address", "06 39 98 00 01")
    assert shell.run(*team, "add", "--name", "billing", *both) == ["2 recipients"]
    assert shell.run(*team, "list", "--name", "billing") == ["+33639980001", "marie@exemple.fr"]
    one = ("--address", "marie@exemple.FR")
    assert shell.run(*team, "remove", "--name", "billing", *one) == ["1 recipients"]
    for wrong in (
        ("team", "add", "--name", "nobody", *both),
        ("team", "list", "--name", "nobody"),
        ("team", "add", "--name", "billing", "--address", "Marie"),
        ("set", "--name", "billing", "--quota", "pigeon=1"),
        ("set", "--name", "billing", "--quota", "sms=-1"),
        ("set", "--name", "billing", "--idempotency", "never"),
    ):
        shell.refused("clients", *wrong)
