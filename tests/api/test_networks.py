"""Source networks of keys: the peer of the connection, and whom a trusted proxy names."""

from ipaddress import ip_address

import pytest
from starlette.requests import Request

from app.api.origin import Address, networks_of, origin_of
from app.domain.message import Mode
from tests.api.administering import client, made, operator
from tests.api.client import Api, problem
from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

PROXIES = networks_of(["10.0.0.0/8", "2001:db8::/32"])


def asked(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    client = (peer, 40000) if peer is not None else None
    return Request({"type": "http", "headers": headers, "client": client})


@pytest.mark.parametrize(
    ("peer", "forwarded", "origin"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["192.0.2.1"], "198.51.100.7"),
        ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["203.0.113.9, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", ["203.0.113.9", "192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["192.0.2.1:5000"], "192.0.2.1"),
        ("10.0.0.1", ["[2001:db9::1]:5000"], "2001:db9::1"),
        ("10.0.0.1", ["2001:db9::1"], "2001:db9::1"),
        ("10.0.0.1", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("2001:db8::1", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [" , "], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.1, unknown"], None),
        ("10.0.0.1", ["192.0.2.1, _hidden"], None),
        ("10.0.0.1", ["192.0.2.01"], None),
        (None, ["192.0.2.1"], None),
        ("not-an-address", [], None),
    ],
)
async def test_the_origin_is_as_far_back_as_our_own_proxies_say(
    peer: str | None, forwarded: list[str], origin: str | None
) -> None:
    expected: Address | None = ip_address(origin) if origin is not None else None

    assert origin_of(asked(peer, *forwarded), PROXIES) == expected


async def test_without_proxies_nobody_is_believed() -> None:
    request = asked("10.0.0.1", "192.0.2.1")

    assert origin_of(request, ()) == ip_address("10.0.0.1")


@pytest.mark.parametrize(
    ("networks", "status"),
    [
        (["127.0.0.1"], 200),
        (["127.0.0.0/8"], 200),
        (["192.0.2.0/24", "127.0.0.1/32"], 200),
        (["192.0.2.0/24"], 403),
        (["::1"], 403),
        (["::/0"], 403),
        (["0.0.0.0/0"], 200),
    ],
)
async def test_a_key_is_taken_from_its_networks_alone(
    api: Api, networks: list[str], status: int
) -> None:
    admin = await operator(api)
    found = await made(api, admin, await client(api, admin), networks=networks)

    answer = await api.get("/v1/me", key=found["key"])

    assert answer.status == status
    if status == 403:
        problem(answer, 403, "network_not_allowed")
    else:
        assert answer.json()["networks"] == found["networks"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP"])
async def test_a_caller_does_not_choose_where_it_comes_from(api: Api, header: str) -> None:
    admin = await operator(api)
    found = await made(api, admin, await client(api, admin), networks=["192.0.2.0/24"])
    value = "for=192.0.2.1" if header == "Forwarded" else "192.0.2.1"

    answer = await api.get("/v1/me", key=found["key"], headers={header: value})

    problem(answer, 403, "network_not_allowed")


async def test_behind_a_trusted_proxy_its_word_counts(shared: Api, serve: Serve) -> None:
    async with serve(
        shared.gateway.database, access={"trusted_proxies": "127.0.0.0/8, ::1/128"}
    ) as api:
        admin = await operator(api)
        found = await made(api, admin, await client(api, admin), networks=["192.0.2.0/24"])

        async def status(forwarded: str) -> int:
            headers = {"X-Forwarded-For": forwarded}
            return (await api.get("/v1/me", key=found["key"], headers=headers)).status

        assert await status("192.0.2.1") == 200
        assert await status("203.0.113.1, 192.0.2.1") == 200
        assert await status("192.0.2.1, 203.0.113.1") == 403
        assert await status("192.0.2.1, 127.0.0.1, 203.0.113.1, 127.0.0.1") == 403
        assert await status("") == 403


async def test_only_who_has_the_key_learns_that_it_is_bound_to_a_network(api: Api) -> None:
    admin = await operator(api)
    found = await made(api, admin, await client(api, admin), networks=["192.0.2.0/24"])
    other = found["key"][:-1] + ("0" if found["key"][-1] != "0" else "1")

    problem(await api.get("/v1/me", key=other), 401, "api_key_invalid")


async def test_a_rotation_keeps_the_networks(api: Api) -> None:
    admin = await operator(api, Mode.TEST)
    live = await operator(api)
    old = await made(api, admin, await client(api, live), "test", networks=["192.0.2.0/24"])

    answer = await api.post(f"/v1/admin/keys/{old['id']}/rotate", {}, key=admin)

    problem(await api.get("/v1/me", key=answer.json()["key"]), 403, "network_not_allowed")
