"""Tokens of an OpenID issuer in place of keys: which are taken, and which never."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey
from structlog.testing import capture_logs

from app.api import issuer as issuing_module
from app.api.issuer import Issuer as Known
from app.api.tokens import LEEWAY
from app.domain.errors import IssuerUnavailable
from tests.api.administering import key_of, operator
from tests.api.client import Answer, Api, problem, sms
from tests.api.conftest import Serve
from tests.api.issuing import AUDIENCE, DISCOVERY, Issuer, issuing, rsa

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Site:
    api: Api
    issuer: Issuer
    client: str  # its name

    async def me(self, token: str) -> Answer:
        return await self.api.get("/v1/me", key=token)


@asynccontextmanager
async def trusting(shared: Api, serve: Serve, **access: Any) -> AsyncIterator[Site]:
    async with issuing() as issuer:
        given = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, **access}
        async with serve(shared.gateway.database, access=given) as api:
            name = uuid4().hex
            await key_of(api, "sms:send", name=name)
            yield Site(api, issuer, name)


@pytest.fixture
async def site(shared: Api, serve: Serve) -> AsyncIterator[Site]:
    async with trusting(shared, serve) as found:
        yield found


def unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def encoded(value: object) -> str:
    return unpadded(json.dumps(value).encode())


def now() -> int:
    return int(datetime.now(UTC).timestamp())


def meant(site: Site, value: Any) -> Any:
    """What a table of claims means when its test runs: a time from now on, or the client."""
    if isinstance(value, timedelta):
        return now() + int(value.total_seconds())
    return site.client if value == "CLIENT" else value


# --- taken ---


async def test_a_token_is_its_clients_key(site: Site) -> None:
    token = site.issuer.token(site.client)

    me = (await site.me(token)).json()

    assert (me["client"]["name"], me["mode"], me["key"]) == (site.client, "live", None)
    assert me["scopes"] == ["sms:send", "messages:read"]
    assert datetime.fromisoformat(me["expires_at"]).timestamp() > now()
    sent = await site.api.post("/v1/sms", sms(), key=token)
    assert sent.status == 202
    assert (await site.api.get(sent.headers["Location"], key=token)).status == 200
    problem(await site.api.post("/v1/faxes", {}, key=token), 403, "scope_missing")


async def test_keys_go_on_being_taken_beside_tokens(site: Site) -> None:
    key = await key_of(site.api, "sms:send", name=site.client)

    assert (await site.me(key)).json()["client"]["name"] == site.client
    problem(await site.me(key + "x"), 401, "api_key_invalid")
    assert site.issuer.asked == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: ECKey.generate_key("P-256", {"kid": "other"}),
        lambda: OKPKey.generate_key("Ed25519", {"kid": "other"}),
        lambda: rsa("other", 3072),
    ],
)
async def test_each_algorithm_is_verified(site: Site, make: Callable[[], Any]) -> None:
    key = make()
    site.issuer.keys.append(key)

    assert (await site.me(site.issuer.token(site.client, key=key))).status == 200


async def test_the_old_name_of_ed25519_is_taken(site: Site) -> None:
    key = OKPKey.generate_key("Ed25519", {"kid": "old", "alg": "EdDSA"})
    site.issuer.keys.append(key)
    head, body = encoded({"alg": "EdDSA", "kid": "old"}), encoded(site.issuer.claims(site.client))
    signed = unpadded(key.private_key.sign(f"{head}.{body}".encode()))

    assert (await site.me(f"{head}.{body}.{signed}")).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["other", AUDIENCE]},
        {"azp": None, "client_id": "CLIENT"},
        {"scope": ["sms:send", "messages:read", 7]},
        {"exp": timedelta(seconds=-LEEWAY + 20)},
        {"nbf": None, "iat": None},
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": "JWT"}},
        {"header": {"kid": None}},
    ],
)
async def test_what_issuers_write_differently_is_taken(site: Site, changes: Any) -> None:
    given = {name: meant(site, value) for name, value in changes.items()}

    answer = await site.me(site.issuer.token(site.client, **given))

    assert answer.status == 200
    assert answer.json()["scopes"] == ["sms:send", "messages:read"]


@pytest.mark.parametrize("mode", ["live", "team", "test"])
async def test_a_claim_names_the_mode(site: Site, mode: str) -> None:
    token = site.issuer.token(site.client, multicanal_mode=mode)

    assert (await site.me(token)).json()["mode"] == mode


async def test_the_claims_that_name_client_and_scopes_are_settings(
    shared: Api, serve: Serve
) -> None:
    async with trusting(
        shared, serve, oidc_client_claim="sub", oidc_scope_claim="permissions"
    ) as site:
        token = site.issuer.token(
            "somebody", sub=site.client, permissions=["fax:send"], scope="admin"
        )

        assert (await site.me(token)).json()["scopes"] == ["fax:send"]


async def test_a_tokens_client_goes_by_its_options(site: Site) -> None:
    admin = await operator(site.api)
    name = uuid4().hex
    await site.api.post("/v1/admin/clients", {"name": name, "rate": 3}, key=admin)

    assert (await site.me(site.issuer.token(name))).json()["rate"] == 3


# --- never taken ---


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": timedelta(seconds=-LEEWAY - 5)},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 10**30},
        {"exp": True},
        {"nbf": timedelta(hours=1)},
        {"iat": timedelta(hours=1)},
        {"aud": "another-service"},
        {"aud": ["another-service"]},
        {"aud": None},
        {"aud": ""},
        {"iss": "http://127.0.0.1:9"},
        {"iss": None},
        {"azp": None},
        {"azp": ""},
        {"azp": 7},
        {"azp": "x" * 201},
        {"azp": "a\0b"},
        {"azp": None, "sub": "CLIENT"},
        {"multicanal_mode": "production"},
        {"multicanal_mode": None, "scope": 7},
        {"header": {"typ": "logout+jwt"}},
        {"header": {"kid": "unknown"}},
    ],
)
async def test_a_token_that_says_something_wrong_is_refused(site: Site, changes: Any) -> None:
    given = {name: meant(site, value) for name, value in changes.items()}

    answer = await site.me(site.issuer.token(site.client, **given))

    found = problem(answer, 401, "token_invalid")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert site.client not in found["detail"]


async def test_a_token_without_an_own_client_is_refused_with_the_remedy(site: Site) -> None:
    found = problem(await site.me(site.issuer.token("nobody")), 403, "client_unknown")

    assert "operator" in found["detail"]


async def test_another_issuers_key_of_the_same_name_is_refused(site: Site) -> None:
    problem(await site.me(site.issuer.token(site.client, key=rsa("first"))), 401, "token_invalid")


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, 7])
async def test_an_unsigned_token_is_refused(site: Site, alg: Any) -> None:
    head = {"alg": alg, "kid": "first"} if alg is not None else {"kid": "first"}
    token = f"{encoded(head)}.{encoded(site.issuer.claims(site.client))}."

    problem(await site.me(token), 401, "token_invalid")


async def test_the_public_key_is_no_shared_secret(site: Site) -> None:
    """The classic confusion: HS256, keyed with the issuer's public key in its usual spellings."""
    (public,) = site.issuer.keys
    head = encoded({"alg": "HS256", "kid": "first"})
    text = f"{head}.{encoded(site.issuer.claims(site.client))}"
    for secret in (
        public.as_pem(private=False),
        public.as_pem(private=False).strip(),
        public.as_der(private=False),
        json.dumps(public.as_dict(private=False)).encode(),
    ):
        token = f"{text}.{unpadded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"
        problem(await site.me(token), 401, "token_invalid")


@pytest.mark.parametrize("alg", ["RS512", "PS256"])
async def test_an_algorithm_that_is_not_ours_is_refused(site: Site, alg: str) -> None:
    token = site.issuer.token(site.client, header={"alg": alg})

    problem(await site.me(token), 401, "token_invalid")


async def test_a_key_is_used_for_its_own_algorithm_alone(site: Site) -> None:
    one = rsa("one").as_dict(private=True)
    with pytest.warns(SecurityWarning):
        short = RSAKey.generate_key(1024, {"kid": "short"})
    published = {
        "enc": {"use": "enc"},
        "ps": {"alg": "PS256"},
        "hs": {"alg": "HS256"},
        "broken": {"e": "!"},
    }
    site.issuer.keys += [ECKey.generate_key("P-384", {"kid": "large"}), short]
    public = {name: one[name] for name in ("kty", "n", "e")}
    site.issuer.extra += [{**public, "kid": kid, **what} for kid, what in published.items()]
    site.issuer.extra.append({"kty": "oct", "kid": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"})
    site.issuer.extra += [{}, {"kty": "RSA"}, {"kty": 7}, "RSA", None]

    private = {name: value for name, value in one.items() if name not in {"use", "kid"}}
    for kid in (*published, "large", "oct"):
        signs = RSAKey.import_key({**private, "kid": kid})
        problem(await site.me(site.issuer.token(site.client, key=signs)), 401, "token_invalid")
    problem(await site.me(site.issuer.token(site.client, key=short)), 401, "token_invalid")
    assert (await site.me(site.issuer.token(site.client))).status == 200


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk"])
async def test_where_a_token_says_its_key_is_nobody_looks(site: Site, name: str) -> None:
    async with issuing() as attacker:
        attacker.keys = [rsa("first")]
        said = attacker.keys[0].as_dict(private=False) if name == "jwk" else f"{attacker.url}/keys"
        token = site.issuer.token(site.client, key=attacker.keys[0], header={name: said})

        problem(await site.me(token), 401, "token_invalid")
        assert attacker.asked == []
        honest = site.issuer.token(site.client, header={name: said})
        assert (await site.me(honest)).status == 200
        assert attacker.asked == []


async def test_what_a_token_calls_critical_is_not_passed_over(site: Site) -> None:
    token = site.issuer.token(site.client, header={"kid": "first"})
    _, body, signature = token.split(".")
    head = encoded({"alg": "RS256", "kid": "first", "crit": ["exp"], "exp": 1})

    problem(await site.me(f"{head}.{body}.{signature}"), 401, "token_invalid")


async def test_a_changed_token_is_refused(site: Site) -> None:
    head, body, signature = site.issuer.token(site.client).split(".")
    more = encoded(site.issuer.claims(site.client, scope="admin"))

    for token in (
        f"{head}.{more}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-8]}",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.{signature}",
    ):
        problem(await site.me(token), 401, "token_invalid")


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "a.b.c",
        "..",
        f"{encoded([])}.e30.e30",
        f"{encoded({'alg': 'RS256', 'kid': 7})}.e30.e30",
        f"{encoded({'alg': 'RS256', 'typ': 7})}.e30.e30",
        f"{encoded('RS256')}.e30.e30",
        "W1tb" * 400 + ".e30.e30",
        "x" * 20_000,
        "\u00e9.e30.e30".encode().decode("latin-1"),
    ],
)
async def test_what_is_no_token_is_refused_without_asking_the_issuer(
    site: Site, token: str
) -> None:
    problem(await site.me(token), 401, "token_invalid")
    assert site.issuer.asked == []


async def test_without_an_issuer_a_token_is_a_wrong_key(shared: Api) -> None:
    async with issuing() as issuer:
        answer = await shared.get("/v1/me", key=issuer.token("accounts"))

        problem(answer, 401, "api_key_invalid")
        assert issuer.asked == []


async def test_no_log_holds_a_part_of_a_token(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG")
    good = site.issuer.token(site.client)
    unknown = site.issuer.token(site.client, key=rsa("unknown"))
    with capture_logs() as lines:
        site.issuer.is_away = True
        problem(await site.me(good), 503, "issuer_unavailable")
        monkeypatch.setattr(issuing_module, "AFTER_FAULT", 0.0)
        site.issuer.is_away = False
        assert (await site.me(good)).status == 200
        for token in (unknown, good[:-4], f"{good}.{good}"):
            problem(await site.me(token), 401, "token_invalid")

    said = str(lines) + caplog.text
    assert "issuer_unavailable" in said
    assert not [part for part in f"{good}.{unknown}".split(".") if part in said]


# --- the issuer's keys ---


async def test_the_keys_are_asked_for_once(site: Site) -> None:
    site.issuer.delay = 0.2
    token = site.issuer.token(site.client)

    answers = await asyncio.gather(*(site.me(token) for _ in range(20)))

    assert {one.status for one in answers} == {200}
    assert site.issuer.asked == [DISCOVERY, "/keys"]


async def test_a_new_key_is_found_and_unknown_ones_do_not_trouble_the_issuer(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = site.issuer.token(site.client)
    assert (await site.me(old)).status == 200
    new = rsa("second")
    site.issuer.keys = [new]

    # Within a minute of the last question nobody asks again, whatever tokens say.
    for _ in range(20):
        token = site.issuer.token(site.client, key=new, header={"kid": uuid4().hex})
        problem(await site.me(token), 401, "token_invalid")
    assert len(site.issuer.asked) == 2
    monkeypatch.setattr(issuing_module, "EVERY", 0.0)

    assert (await site.me(site.issuer.token(site.client, key=new))).status == 200
    problem(await site.me(old), 401, "token_invalid")


async def test_the_keys_are_renewed_beside_requests(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = site.issuer.token(site.client)
    assert (await site.me(token)).status == 200
    monkeypatch.setattr(issuing_module, "AGE", 0.0)
    site.issuer.keys = [rsa("second")]

    await site.me(token)
    async with asyncio.timeout(10):
        while len(site.issuer.asked) < 4:
            await asyncio.sleep(0.02)
        while (await site.me(token)).status == 200:
            await asyncio.sleep(0.02)

    problem(await site.me(token), 401, "token_invalid")


async def test_an_issuer_that_is_away_leaves_known_keys_and_delays_unknown_ones(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = site.issuer.token(site.client)
    assert (await site.me(token)).status == 200
    site.issuer.is_away = True
    monkeypatch.setattr(issuing_module, "EVERY", 0.0)
    monkeypatch.setattr(issuing_module, "AGE", 0.0)
    new = rsa("second")
    site.issuer.keys.append(new)

    refused = await site.me(site.issuer.token(site.client, key=new))

    problem(refused, 503, "issuer_unavailable")
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert (await site.me(token)).status == 200
    monkeypatch.setattr(issuing_module, "AFTER_FAULT", 0.0)
    site.issuer.is_away = False
    assert (await site.me(site.issuer.token(site.client, key=new))).status == 200


async def test_a_gateway_that_starts_before_its_issuer_recovers(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.issuer.is_away = True
    token = site.issuer.token(site.client)
    for _ in range(5):
        problem(await site.me(token), 503, "issuer_unavailable")
    assert len(site.issuer.asked) == 1

    site.issuer.is_away = False
    monkeypatch.setattr(issuing_module, "AFTER_FAULT", 0.0)

    assert (await site.me(token)).status == 200


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "http://127.0.0.1:9"},
        {"jwks_uri": None},
        {"jwks_uri": "/keys"},
        {"jwks_uri": "ELSEWHERE"},
        {"padding": "x" * 300_000},
    ],
)
async def test_a_discovery_that_cannot_be_believed_is_not(site: Site, discovery: Any) -> None:
    url = f"{site.issuer.url}/elsewhere"
    site.issuer.discovery = {
        name: url if value == "ELSEWHERE" else value for name, value in discovery.items()
    }

    problem(await site.me(site.issuer.token(site.client)), 503, "issuer_unavailable")
    assert "/keys" not in site.issuer.asked


async def test_keys_come_over_https_where_the_issuer_does() -> None:
    issuer = Known("https://login.example.com", None)

    for url in ("http://login.example.com/keys", "file:///keys", 7, None):
        with pytest.raises(ValueError):  # noqa: PT011 -- it says nothing
            issuer._where({"issuer": "https://login.example.com", "jwks_uri": url})


async def test_an_issuer_that_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(issuing_module, "_PATIENCE", 0.2)
    async with issuing() as away:
        away.delay = 1
        with pytest.raises(IssuerUnavailable):
            async with asyncio.timeout(2):
                await Known(away.url, None).key("first", "RS256")


async def test_the_keys_address_may_be_a_setting(shared: Api, serve: Serve) -> None:
    async with (
        issuing() as apart,
        trusting(shared, serve, oidc_jwks_url=f"{apart.url}/keys") as site,
    ):
        site.issuer.keys = apart.keys

        assert (await site.me(site.issuer.token(site.client))).status == 200
        assert (site.issuer.asked, apart.asked) == ([], ["/keys"])
