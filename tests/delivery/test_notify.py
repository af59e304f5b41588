"""Telling clients: each delivery is posted until it is taken, and never lost, on each database."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import RowMapping, insert, select
from standardwebhooks import WebhookVerificationError

from app.delivery import publish, sign
from app.delivery.fault_points import Action, Armed, FaultInjected, FaultPoints, Point
from app.delivery.gateway import Gateway
from app.delivery.mark import Held
from app.delivery.notify import KEPT_FOR, Notifying
from app.delivery.recover import Recovered, recover
from app.delivery.share import AT_ONCE, EACH, OF_CLIENT
from app.delivery.tell import type_of
from app.delivery.webhook_settings import WebhookSettings
from app.delivery.webhooks import build
from app.domain.identifiers import ENDPOINT, EVENT, shown
from app.domain.message import Channel
from app.domain.webhooks import SCHEDULE, pause
from app.store import counters, deliveries, feed, positions, webhooks
from app.store.recount import recount
from app.store.tables import clients, events, webhook_deliveries, webhook_endpoints
from tests.gateways import BEGAN, World, fax, sms
from tests.receiver import Receiver, Says, receiving

pytestmark = pytest.mark.anyio

PEPPER = b"pepper-of-these-tests"
DAY = timedelta(days=1)
# By the receiver's own clock, which is years behind.
IN_TEN_MINUTES = {
    "Date": "Mon, 07 Feb 2022 23:55:00 GMT",
    "Retry-After": "Tue, 08 Feb 2022 00:05:00 GMT",
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


class Telling:
    """A world whose client has endpoints; what is due is posted when the test says so."""

    def __init__(self, world: World, *, timeout: float = 5.0, **changes: Any) -> None:
        settings = WebhookSettings(
            _env_file=None, webhook_networks="127.0.0.0/8", webhook_timeout=timeout
        )
        built = build(
            settings,
            PEPPER,
            port=1,
            public_url="http://127.0.0.1:1",
            production=False,
            lease=120.0,
            random_bytes=lambda size: bytes(range(size)),
        )
        self.world = world
        self.gateway: Gateway = replace(world.gateway, webhooks=built, **changes)
        self.seal = built.seal
        self.close = built.close
        self.notifying = self.other()

    def other(self) -> Notifying:
        """Return what another worker would have."""
        return Notifying(self.gateway, lambda _: None, asyncio.sleep)

    async def endpoint(self, url: str, **columns: Any) -> tuple[UUID, str]:
        """Make an endpoint; return its id and secret."""
        endpoint_id = self.gateway.ids.new()
        secret = sign.new_secret(lambda size: endpoint_id.bytes * (size // 16))
        row = {
            "id": endpoint_id,
            "client_id": self.world.client_id,
            "mode": "live",
            "url": url,
            "secret": self.seal.seal(secret, endpoint_id),
            "enabled": True,
            "created_at": self.gateway.now(),
            "changed_at": self.gateway.now(),
            **columns,
        }
        async with self.gateway.database.transaction() as connection:
            assert await webhooks.add(connection, row, 20)
        return endpoint_id, secret

    async def sms(self, count: int = 1) -> list[UUID]:
        """Hand text messages in, and have what happened published."""
        made = [await self.world.keep(sms()) for _ in range(count)]
        await publish.publish(self.gateway)
        return made

    async def waits(self, endpoint_id: UUID, count: int) -> None:
        """Have deliveries wait for an endpoint."""
        event = {"id": endpoint_id, "message_id": None, "type": "message.sent"}
        rows = [
            webhooks.delivery_row(self.gateway.ids, endpoint_id, event, self.gateway.now())
            for _ in range(count)
        ]
        async with self.gateway.database.transaction() as connection:
            await deliveries.add(connection, rows)

    async def post(self, held: Sequence[Held] | None = None) -> int:
        """Post what is due, once; return how many that was."""
        if held is None:
            held = await self.notifying.claim()
        await asyncio.gather(*(self.notifying.deliver(one) for one in held))
        return len(held)

    async def rows(self, endpoint_id: UUID | None = None) -> Sequence[RowMapping]:
        query = select(webhook_deliveries).order_by(webhook_deliveries.c.id)
        if endpoint_id is not None:
            query = query.where(webhook_deliveries.c.endpoint_id == endpoint_id)
        async with self.gateway.database.reading() as connection:
            return (await connection.execute(query)).mappings().all()

    async def row_of(self, endpoint_id: UUID) -> RowMapping:
        query = select(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)
        async with self.gateway.database.reading() as connection:
            return (await connection.execute(query)).mappings().one()

    async def change(self, endpoint_id: UUID, **columns: Any) -> None:
        async with self.gateway.database.transaction() as connection:
            await webhooks.change(connection, endpoint_id, self.gateway.now(), **columns)

    async def recover(self, endpoint_id: UUID, since: datetime) -> Recovered:
        endpoint = await self.row_of(endpoint_id)
        return await recover(self.gateway, endpoint, since, self.gateway.now() + DAY, None)

    async def own_events(self) -> list[RowMapping]:
        """Return what happened to endpoints."""
        query = select(events).where(events.c.message_id.is_(None)).order_by(events.c.id)
        async with self.gateway.database.reading() as connection:
            return list((await connection.execute(query)).mappings())


@pytest.fixture
async def telling(world: World) -> AsyncIterator[Telling]:
    made = Telling(world)
    yield made
    await made.close()


# --- what is sent ---


async def test_an_event_is_posted_signed_and_without_anything_personal(
    telling: Telling, receiver: Receiver
) -> None:
    telling.world.clock.time = datetime.now(UTC)
    _, secret = await telling.endpoint(receiver.url("/hook?token=a%20b"))
    (message_id,) = await telling.sms()

    assert await telling.post() == 1

    (got,) = receiver.got
    assert got.path == "/hook?token=a%20b"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == "multicanal-webhooks"
    told = got.verified(secret)
    assert told["type"] == "message.queued"
    assert told["data"]["sequence"] == 1
    assert got.id == told["data"]["event_id"]
    assert b"33639980001" not in got.body
    (row,) = await telling.rows()
    assert (row["state"], row["attempts"], row["message_id"]) == ("delivered", 1, message_id)
    assert got.id == shown(EVENT, row["event_id"])


async def test_a_forged_or_late_webhook_is_refused_by_its_receiver(
    telling: Telling, receiver: Receiver
) -> None:
    telling.world.clock.time = datetime.now(UTC)
    _, secret = await telling.endpoint(receiver.url())
    await telling.sms()
    await telling.post()
    (got,) = receiver.got

    forged = replace(got, body=got.body.replace(b"queued", b"failed"))
    renamed = replace(got, headers={**got.headers, "webhook-id": "evt_other"})
    later = str(int(got.headers["webhook-timestamp"]) + 1)
    moved = replace(got, headers={**got.headers, "webhook-timestamp": later})
    for one in (forged, renamed, moved):
        with pytest.raises(WebhookVerificationError):
            one.verified(secret)
    with pytest.raises(WebhookVerificationError):
        got.verified(sign.new_secret(lambda size: b"x" * size))


async def test_both_secrets_verify_while_a_rotation_lasts_and_one_after_it(
    telling: Telling, receiver: Receiver
) -> None:
    telling.world.clock.time = datetime.now(UTC)
    endpoint_id, old = await telling.endpoint(receiver.url())
    new = sign.new_secret(lambda size: b"n" * size)
    await telling.change(
        endpoint_id,
        secret=telling.seal.seal(new, endpoint_id),
        previous_secret=telling.seal.seal(old, endpoint_id),
        previous_until=telling.gateway.now() + timedelta(seconds=60),
    )
    await telling.sms()
    await telling.post()
    telling.world.clock.turn(seconds=60)
    await telling.sms()
    await telling.post()

    during, after = receiver.got
    assert during.verified(old) == during.verified(new)
    assert after.verified(new)
    with pytest.raises(WebhookVerificationError):
        after.verified(old)


async def test_a_secret_in_the_store_is_of_no_use_elsewhere(telling: Telling) -> None:
    endpoint_id, secret = await telling.endpoint("http://127.0.0.1:9/")
    other_id, _ = await telling.endpoint("http://127.0.0.1:9/")
    row = await telling.row_of(endpoint_id)

    assert secret not in str(dict(row))
    assert secret.removeprefix("whsec_") not in row["secret"]
    await telling.change(other_id, secret=row["secret"])
    await telling.sms()
    await telling.post()
    (moved,) = await telling.rows(other_id)
    assert moved["tries"][0]["why"] == "secret_unreadable"


# --- filters ---


async def test_each_endpoint_is_told_what_it_asked_for(
    telling: Telling, receiver: Receiver
) -> None:
    await telling.endpoint(receiver.url("/all"))
    await telling.endpoint(receiver.url("/submitted"), events=["message.submitted"])
    await telling.endpoint(receiver.url("/faxes"), channels=["fax"])
    await telling.endpoint(receiver.url("/off"), enabled=False)
    await telling.endpoint(receiver.url("/test"), mode="test")
    await telling.world.keep(sms())
    await telling.world.keep(fax())
    await telling.world.submit(Channel.SMS)
    await publish.publish(telling.gateway)

    while await telling.post():
        pass

    told = sorted((one.path, one.json["type"], one.json["data"]["channel"]) for one in receiver.got)
    assert told == [
        ("/all", "message.queued", "fax"),
        ("/all", "message.queued", "sms"),
        ("/all", "message.submitted", "sms"),
        ("/all", "message.submitting", "sms"),
        ("/faxes", "message.queued", "fax"),
        ("/submitted", "message.submitted", "sms"),
    ]
    assert len(set(receiver.ids())) == 4  # the same event has the same id everywhere


async def test_so_many_deliveries_are_written_at_once_and_no_more(telling: Telling) -> None:
    endpoints, count = 10, publish.MOST_TOLD // 10 + 1
    for _ in range(endpoints):
        await telling.endpoint("http://127.0.0.1:9/")
    await telling.endpoint("http://127.0.0.1:9/", enabled=False)
    for _ in range(count):
        await telling.world.keep(sms())

    # An acceptance that waits for the writer of these waits for a few of them only.
    assert await publish.publish(telling.gateway)
    assert len(await telling.rows()) == publish.MOST_TOLD
    assert not await publish.publish(telling.gateway)
    assert len(await telling.rows()) == endpoints * count


# --- tries ---


def test_the_schedule_is_that_of_the_specification() -> None:
    hours = [0, 5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24]
    exact = [pause(tries, lambda: 0.5, 1.0, None) for tries in range(1, 11)]

    assert exact == [*(timedelta(hours=one) for one in hours[1:]), None]
    assert sum(SCHEDULE, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@pytest.mark.parametrize("tries", range(1, 10))
def test_pauses_vary_by_a_fifth_either_way(tries: int) -> None:
    planned = SCHEDULE[tries - 1]

    assert pause(tries, lambda: 0.0, 1.0, None) == planned * 0.8
    assert pause(tries, lambda: 1.0, 1.0, None) == planned * 1.2
    assert pause(tries, lambda: 0.5, 0.1, None) == planned * 0.1


def test_a_receiver_may_ask_for_more_time_within_reason() -> None:
    asked = timedelta(minutes=10)

    assert pause(1, lambda: 0.5, 1.0, asked) == asked
    assert pause(4, lambda: 0.5, 1.0, asked) == SCHEDULE[3]
    assert pause(1, lambda: 0.5, 1.0, timedelta(days=900)) == timedelta(hours=24)


async def test_a_receiver_that_fails_is_tried_ten_times_over_three_days(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.always = Says(500, body=b"no\x00t now")
    await telling.endpoint(receiver.url())
    await telling.sms()
    began = telling.world.clock.time

    for _ in range(200):
        (row,) = await telling.rows()
        if row["due_at"] is None:
            break
        telling.world.clock.time = row["due_at"]
        await telling.post()

    assert (row["state"], row["attempts"], len(row["tries"])) == ("failed", 10, 10)
    assert {one["code"] for one in row["tries"]} == {500}
    assert {one["why"] for one in row["tries"]} == {"refused"}
    assert row["response"] == "no\ufffdt now"
    assert len(receiver.got) == 10
    assert len(set(receiver.ids())) == 1
    assert len({one.headers["webhook-timestamp"] for one in receiver.got}) == 10
    assert len({one.body for one in receiver.got}) == 1
    assert 0.8 < (row["ended_at"] - began) / timedelta(hours=75, minutes=35) < 1.2


@pytest.mark.parametrize(
    ("says", "why", "code"),
    [
        (Says(301, {"Location": "/other"}), "redirected", 301),
        (Says(307, {"Location": "/other"}), "redirected", 307),
        (Says(404), "refused", 404),
        (Says(503, {"Retry-After": "600"}), "refused", 503),
        (Says(503, IN_TEN_MINUTES), "refused", 503),
    ],
    ids=str,
)
async def test_what_is_no_success_is_tried_again(
    telling: Telling, receiver: Receiver, says: Says, why: str, code: int
) -> None:
    receiver.says = [says]
    await telling.endpoint(receiver.url())
    await telling.sms()
    await telling.post()

    (row,) = await telling.rows()
    assert (row["state"], row["tries"][0]["why"], row["tries"][0]["code"]) == ("pending", why, code)
    wait = row["due_at"] - telling.world.clock.time
    if "Retry-After" in says.headers:
        assert wait == timedelta(minutes=10)
    else:
        assert wait < timedelta(seconds=7)
    assert [one.path for one in receiver.got] == ["/hook"]

    telling.world.clock.turn(minutes=11)
    await telling.post()

    (row,) = await telling.rows()
    assert (row["state"], len(receiver.got)) == ("delivered", 2)


async def test_a_receiver_that_is_down_is_not_connected(telling: Telling) -> None:
    await telling.endpoint(Receiver().url())
    await telling.sms()
    await telling.post()

    (row,) = await telling.rows()
    assert (row["tries"][0]["why"], row["tries"][0]["code"]) == ("not_connected", None)


async def test_a_slow_receiver_is_given_up_after_the_time_out(
    world: World, receiver: Receiver
) -> None:
    telling = Telling(world, timeout=0.3)
    receiver.always = Says(waits_for=threading.Event())
    await telling.endpoint(receiver.url())
    await telling.sms()
    await telling.post()

    (row,) = await telling.rows()
    receiver.always.waits_for.set()  # type: ignore[union-attr]
    assert row["tries"][0]["why"] == "timed_out"
    assert 250 < row["tries"][0]["milliseconds"] < 3000
    await telling.close()


async def test_an_answer_without_end_counts_and_is_not_read_to_its_end(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.says = [Says(200, drips=True)]
    await telling.endpoint(receiver.url())
    await telling.sms()
    await telling.post()

    (row,) = await telling.rows()
    assert (row["state"], row["response"]) == ("delivered", "." * 1024)


# --- endpoints that take nothing ---


async def test_a_receiver_that_says_410_gets_nothing_more_until_it_is_enabled(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.says = [Says(410)]
    endpoint_id, _ = await telling.endpoint(receiver.url("/gone"))
    await telling.endpoint(receiver.url("/other"), events=["endpoint.disabled"])
    await telling.sms(2)
    held = await telling.notifying.claim()
    await telling.post(held[:1])
    telling.world.clock.turn(minutes=10)
    assert await telling.other().claim() == []
    row = await telling.row_of(endpoint_id)
    assert (row["enabled"], row["disabled_reason"]) == (False, "gone")

    await publish.publish(telling.gateway)
    telling.notifying = telling.other()
    await telling.post()
    await telling.sms()  # while it is off: it is not told, and may recover it

    assert [one.path for one in receiver.got] == ["/gone", "/other"]
    told = receiver.got[1].json
    assert told["type"] == "endpoint.disabled"
    assert told["data"]["detail"]["endpoint_id"] == shown(ENDPOINT, endpoint_id)
    assert told["data"]["detail"]["reason"] == "gone"

    await telling.change(endpoint_id, enabled=True, disabled_reason=None)
    done = await telling.recover(endpoint_id, BEGAN - DAY)
    while await telling.post():
        pass

    # The failed one again, the one it never got; what waited goes on by itself.
    assert (done.created, done.resumed) == (1, 1)
    rows = await telling.rows(endpoint_id)
    assert [row["state"] for row in rows] == ["delivered"] * 3
    told_of = {one.id for one in receiver.got if one.path == "/gone"}
    assert told_of == {shown(EVENT, row["event_id"]) for row in rows}


async def test_five_days_of_failures_alone_disable_with_an_event_after_one_of_warning(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.always = Says(503)
    endpoint_id, _ = await telling.endpoint(receiver.url())
    began = telling.world.clock.time
    happened: list[tuple[str, float]] = []

    while (await telling.row_of(endpoint_id))["enabled"]:
        await telling.sms()
        await telling.post()
        telling.world.clock.turn(hours=3)
        await telling.post()
        kinds = [one["type"] for one in await telling.own_events()]
        days = (telling.world.clock.time - began) / DAY
        happened += [(kind, days) for kind in kinds[len(happened) :]]
        assert days < 7

    assert [kind for kind, _ in happened] == ["endpoint.failing", "endpoint.disabled"]
    assert 1 <= happened[0][1] < 1.5
    assert 5 <= happened[1][1] < 5.5
    row = await telling.row_of(endpoint_id)
    assert row["disabled_reason"] == "failing"
    detail = (await telling.own_events())[1]["detail"]
    assert detail["endpoint_id"] == shown(ENDPOINT, endpoint_id)


async def test_one_success_ends_a_row_of_failures(telling: Telling, receiver: Receiver) -> None:
    receiver.says = [Says(500)]
    endpoint_id, _ = await telling.endpoint(receiver.url())
    await telling.sms()
    await telling.post()
    assert (await telling.row_of(endpoint_id))["failing_since"] == telling.world.clock.time

    telling.world.clock.turn(seconds=30)
    await telling.post()

    assert (await telling.row_of(endpoint_id))["failing_since"] is None


async def test_one_failure_long_after_the_last_disables_nothing(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.always = Says(500)
    endpoint_id, _ = await telling.endpoint(receiver.url())
    await telling.change(endpoint_id, failing_since=BEGAN - 30 * DAY)
    receiver.says = [Says(500), Says(204)]
    await telling.sms()
    await telling.post()
    telling.world.clock.turn(seconds=30)
    await telling.post()

    row = await telling.row_of(endpoint_id)
    assert (row["enabled"], row["failing_since"]) == (True, None)
    assert await telling.own_events() == []


async def test_two_failures_a_moment_apart_after_a_long_silence_disable_nothing(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.says = [Says(500)] * 4
    endpoint_id, _ = await telling.endpoint(receiver.url())
    await telling.change(endpoint_id, failing_since=BEGAN - 30 * DAY)
    await telling.sms()
    for minutes in (1, 10, 60):
        await telling.post()
        telling.world.clock.turn(minutes=minutes)
    assert (await telling.row_of(endpoint_id))["enabled"]

    telling.world.clock.turn(hours=3)
    await telling.post()

    row = await telling.row_of(endpoint_id)
    assert (row["enabled"], row["disabled_reason"]) == (False, "failing")


async def test_an_answer_that_comes_after_the_endpoint_was_changed_says_nothing_of_it(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.says = [Says(410), Says(500)]
    endpoint_id, _ = await telling.endpoint(receiver.url())
    await telling.sms(2)
    held = await telling.notifying.claim()
    telling.world.clock.turn(seconds=1)
    await telling.change(endpoint_id, enabled=True)

    for one in held:
        await telling.notifying.deliver(one)

    row = await telling.row_of(endpoint_id)
    assert (row["enabled"], row["failing_since"]) == (True, None)
    assert [row["state"] for row in await telling.rows()] == ["failed", "pending"]


# --- many, and several workers ---


async def test_a_slow_endpoint_keeps_no_other_waiting(telling: Telling, receiver: Receiver) -> None:
    slow = threading.Event()
    hanging = Receiver()
    hanging.always = Says(waits_for=slow)
    hanging.open()
    slow_id, _ = await telling.endpoint(hanging.url())
    quick_id, _ = await telling.endpoint(receiver.url())
    await telling.sms(2 * EACH)

    under_way = []
    for _ in range(4):
        held = await telling.notifying.claim()
        under_way += [
            asyncio.create_task(telling.notifying.deliver(one))
            for one in held
            if one.endpoint["id"] == slow_id
        ]
        await telling.post([one for one in held if one.endpoint["id"] == quick_id])

    assert [row["state"] for row in await telling.rows(quick_id)] == ["delivered"] * 2 * EACH
    assert len(under_way) == EACH
    slow.set()
    await asyncio.gather(*under_way)
    hanging.close()


async def test_an_endpoint_that_fails_has_one_call_at_once(telling: Telling) -> None:
    endpoint_id, _ = await telling.endpoint("http://127.0.0.1:9/")
    await telling.sms(EACH)
    await telling.change(endpoint_id, failing_since=BEGAN)

    assert len(await telling.notifying.claim()) == 1
    assert await telling.notifying.claim() == []


async def test_a_client_with_many_slow_endpoints_keeps_no_other_client_waiting(
    telling: Telling,
) -> None:
    gateway, now = telling.gateway, telling.gateway.now()
    several = [gateway.ids.new() for _ in range(AT_ONCE // OF_CLIENT + 1)]
    late = several.pop()
    async with gateway.database.transaction() as connection:
        names = [{"id": one, "name": one.hex, "created_at": now} for one in (*several, late)]
        await connection.execute(insert(clients), names)
    everywhere = "http://127.0.0.1:9/"
    for client_id in several:
        for _ in range(OF_CLIENT // EACH + 1):
            endpoint_id, _ = await telling.endpoint(everywhere, client_id=client_id)
            await telling.waits(endpoint_id, EACH)

    held = await telling.notifying.claim()
    assert Counter(one.endpoint["client_id"] for one in held) == dict.fromkeys(several, OF_CLIENT)
    assert await telling.notifying.claim() == []
    endpoint_id, _ = await telling.endpoint(everywhere, client_id=late)
    await telling.waits(endpoint_id, EACH)

    # The worker is full, and there is one for who has none.
    assert [one.endpoint["id"] for one in await telling.notifying.claim()] == [endpoint_id]
    assert await telling.notifying.claim() == []


async def test_two_workers_share_what_is_due(telling: Telling) -> None:
    await telling.endpoint("http://127.0.0.1:9/")
    await telling.sms(2 * EACH)

    first, second = await asyncio.gather(telling.notifying.claim(), telling.other().claim())

    ids = [one.row["id"] for one in (*first, *second)]
    assert len(ids) == len(set(ids)) == 2 * EACH


async def test_a_delivery_whose_worker_died_is_posted_again_under_the_same_id(
    world: World, receiver: Receiver
) -> None:
    dying = Telling(
        world, fault_points=FaultPoints({Point.NOTIFIED: Armed(action=Action.RAISE, time=1)})
    )
    await dying.endpoint(receiver.url())
    await dying.sms()
    with pytest.raises(FaultInjected):
        await dying.post()
    assert await dying.other().claim() == []

    dying.world.clock.turn(seconds=120)
    await dying.post()

    assert len(receiver.got) == 2
    assert len(set(receiver.ids())) == 1
    (row,) = await dying.rows()
    assert (row["state"], row["attempts"]) == ("delivered", 2)
    await dying.close()


async def test_who_lost_its_claim_writes_nothing(telling: Telling, receiver: Receiver) -> None:
    receiver.says = [Says(500)]
    await telling.endpoint(receiver.url())
    await telling.sms()
    late = await telling.notifying.claim()
    telling.world.clock.turn(seconds=120)
    other = telling.other()
    (held,) = await other.claim()

    await telling.post(late)  # it fails, and nobody cares
    await other.deliver(held)

    (row,) = await telling.rows()
    assert (row["state"], len(row["tries"])) == ("delivered", 1)


# --- recover, and forget ---


async def test_recover_sends_nothing_twice_that_was_taken_or_is_still_tried(
    telling: Telling, receiver: Receiver
) -> None:
    await telling.endpoint(receiver.url("/first"))
    await telling.sms(3)
    await telling.post()
    telling.world.clock.turn(hours=1)
    endpoint_id, _ = await telling.endpoint(receiver.url("/late"))
    await telling.sms()
    await telling.post()

    first = await telling.recover(endpoint_id, BEGAN - DAY)
    second = await telling.recover(endpoint_id, BEGAN - DAY)
    while await telling.post():
        pass
    third = await telling.recover(endpoint_id, BEGAN - DAY)

    assert (first.examined, first.created, first.resumed) == (4, 3, 0)
    assert (second.created, second.resumed, third.created, third.resumed) == (0, 0, 0, 0)
    late = [one.id for one in receiver.got if one.path == "/late"]
    assert len(late) == len(set(late)) == 4
    assert set(late) == {one.id for one in receiver.got if one.path == "/first"}


async def test_recover_brings_what_was_being_published_while_the_endpoint_was_enabled(
    telling: Telling,
) -> None:
    endpoint_id, _ = await telling.endpoint("http://127.0.0.1:9/", enabled=False)
    await telling.world.keep(sms())
    gateway, mine = telling.gateway, (telling.world.client_id, "live")

    async def enable_and_recover() -> Recovered:
        await telling.change(endpoint_id, enabled=True)
        return await telling.recover(endpoint_id, BEGAN - DAY)

    async with gateway.database.transaction() as connection:
        held = await feed.hold(connection, [mine])
        found = await positions.give(connection, mine, held[mine], 10)
        told = await webhooks.enabled(connection, [mine])
        await webhooks.enqueue(connection, gateway.ids, found, told[mine], type_of, gateway.now())
        recovering = asyncio.create_task(enable_and_recover())
        await asyncio.wait([recovering], timeout=0.3)

    assert (await recovering).created == 1


async def test_recover_begins_at_its_time(telling: Telling, receiver: Receiver) -> None:
    for _ in range(8):
        await telling.sms()
        telling.world.clock.turn(hours=1)
    endpoint_id, _ = await telling.endpoint(receiver.url())

    done = await telling.recover(endpoint_id, BEGAN + timedelta(hours=5))

    assert (done.examined, done.created, done.after) == (3, 3, None)


async def test_deliveries_are_forgotten_after_thirty_days(
    telling: Telling, receiver: Receiver
) -> None:
    endpoint_id, _ = await telling.endpoint(receiver.url())
    off_id, _ = await telling.endpoint("http://127.0.0.1:9/")
    await telling.sms(3)
    await telling.post(
        [one for one in await telling.notifying.claim() if "hook" in one.endpoint["url"]]
    )
    telling.world.clock.turn(days=31)
    await telling.sms()

    async def forget() -> int:
        async with telling.gateway.database.transaction() as connection:
            before = telling.gateway.now() - KEPT_FOR
            return await deliveries.forget(connection, before, 2)

    assert [await forget() for _ in range(3)] == [2, 1, 0]
    assert len(await telling.rows(endpoint_id)) == 1
    assert len(await telling.rows(off_id)) == 4  # still tried
    await telling.change(off_id, enabled=False)
    assert [await forget() for _ in range(3)] == [2, 1, 0]


async def test_what_waits_and_what_came_of_tries_is_counted(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.says = [Says(), Says(500)]
    await telling.endpoint(receiver.url())
    await telling.sms(2)
    held = await telling.notifying.claim()
    for one in held:
        await telling.notifying.deliver(one)

    await recount(telling.gateway.database)
    async with telling.gateway.database.reading() as connection:
        count, first = await deliveries.pending(connection)
        tries = await counters.tries(connection)

    assert (count, first) == (1, BEGAN)
    assert tries == {"taken": 1, "refused": 1}
