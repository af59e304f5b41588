"""Where webhooks may go: what is judged is the address at the moment of the connection."""

import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.delivery.guard import AddressRefused, Guard, is_ours
from app.delivery.networks import is_public, read
from app.delivery.post import Poster
from app.domain.webhooks import Missed, Taken
from tests.receiver import Receiver, Says, receiving

pytestmark = pytest.mark.anyio

EVERYWHERE = "public,private,0.0.0.0/0,::/0"
LOOPBACK = "127.0.0.0/8,::1"


def guard(networks: str = "public", **options: object) -> Guard:
    return Guard(allowed=read(networks), http=True, **options)  # type: ignore[arg-type]


async def why(guard: Guard, host: str, port: int = 443) -> str | None:
    try:
        await guard.resolve(host, port)
    except AddressRefused as fault:
        return fault.why
    return None


# --- addresses ---

METADATA_AND_NOBODY = [
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16",
    "192.0.0.192", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::7f00:1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:0:4136:e378::1", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip
PRIVATE = ["10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "fc00::1", "fdab::1"]
SPECIAL = [
    "127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "100.64.0.1",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", METADATA_AND_NOBODY)
async def test_no_list_allows_metadata_nor_addresses_of_nobody(address: str) -> None:
    assert await why(guard(f"{EVERYWHERE},169.254.0.0/16"), address) == "address_forbidden"
    assert await why(guard(), address) == "address_forbidden"


@pytest.mark.parametrize("address", [*PRIVATE, *SPECIAL])
async def test_what_is_not_public_is_refused_unless_it_is_listed(address: str) -> None:
    assert await why(guard(), address) == "address_not_allowed"
    assert await why(guard(EVERYWHERE), address) is None


@pytest.mark.parametrize("address", PUBLIC)
async def test_what_is_public_is_refused_where_only_a_network_is_listed(address: str) -> None:
    assert await why(guard(), address) is None
    assert await why(guard("10.0.0.0/8"), address) == "address_not_allowed"


@pytest.mark.parametrize("address", PRIVATE)
async def test_private_is_a_word_for_what_companies_use_inside(address: str) -> None:
    assert await why(guard("private"), address) is None
    assert await why(guard("private"), "8.8.8.8") == "address_not_allowed"


@pytest.mark.parametrize("address", ["10.1.0.0", "10.1.255.255"])
async def test_a_network_is_allowed_and_its_neighbours_are_not(address: str) -> None:
    assert await why(guard("10.1.0.0/16"), address) is None
    assert await why(guard("10.1.0.0/16"), "10.2.0.0") == "address_not_allowed"
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "10.0.0", "http://x", "a b", "*.example.com", "-"])
def test_a_list_that_cannot_be_read_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="is no network"):
        read(f"public,{entry}")


# --- ourselves ---


async def test_our_own_port_is_refused_on_every_address_of_this_machine() -> None:
    ours = guard(LOOPBACK, own_ports=frozenset({8000}))

    assert await why(ours, "127.0.0.1", 8000) == "own_address"
    assert await why(ours, "127.9.9.9", 8000) == "own_address"
    assert await why(ours, "::ffff:127.0.0.1", 8000) == "own_address"
    assert await why(ours, "127.0.0.1", 8001) is None


def test_an_address_is_ours_where_we_could_listen_on_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        mine = probe.getsockname()[0]

    assert is_ours(ip_address(mine))
    assert not is_ours(ip_address("192.0.2.1"))


def test_our_public_address_is_refused_by_its_name() -> None:
    ours = guard(own_public=("messages.example.com", 443))

    assert ours.wrong_url("https://Messages.example.com/hooks") is not None
    assert ours.wrong_url("https://other.example.com/hooks") is None
    assert ours.wrong_url("https://messages.example.com:8443/hooks") is None
    numbered = guard(EVERYWHERE, own_public=("10.0.0.5", 443))
    assert numbered.wrong_url("https://[::ffff:10.0.0.5]/hooks") is not None
    assert numbered.wrong_url("https://10.0.0.6/hooks") is None


# --- URLs ---


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://example.com/", "scheme_not_allowed"),
        ("file:///etc/passwd", "url_invalid"),
        ("example.com", "url_invalid"),
        ("https://", "url_invalid"),
        ("https:///path", "url_invalid"),
        ("https://user@example.com/", "url_invalid"),
        ("https://user:word@example.com/", "url_invalid"),
        ("https://example.com/#part", "url_invalid"),
        ("https://example.com/#", "url_invalid"),
        ("https://example.com:0/", "url_invalid"),
        ("https://example.com:99999/", "url_invalid"),
        ("https://example.com/a b", "url_invalid"),
        ("https://example.com/\r\nX: y", "url_invalid"),
        ("https://exämple.com/", "url_invalid"),
        ("https://example.com\\@127.0.0.1/", "url_invalid"),
        ("https://" + "a" * 3000, "url_invalid"),
        ("https://2130706433/", "host_invalid"),
        ("https://0x7f000001/", "host_invalid"),
        ("https://0177.0.0.1/", "host_invalid"),
        ("https://127.1/", "host_invalid"),
        ("https://0x7f.0.0.1/", "host_invalid"),
        ("https://127.0.0.1./", "host_invalid"),
        ("https://localhost./", "host_invalid"),
        ("https://a..b/", "host_invalid"),
        ("https://.example.com/", "host_invalid"),
        ("https://[fe80::1%25eth0]/", "host_invalid"),
        ("https://[::1/", "url_invalid"),
    ],
)
def test_a_url_has_one_reading(url: str, code: str) -> None:
    found = guard(EVERYWHERE).wrong_url(url)

    assert found is not None
    assert found[0] == code


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hooks?token=a%20b&c=d",
        "https://hooks.internal.example.com:8443/a",
        "http://10.0.0.1/",
        "https://[2606:4700::1111]:8443/x",
        "https://my_host/",
        "https://xn--exmple-cua.com/",
        "https://example.com",
    ],
)
def test_a_usual_url_is_taken(url: str) -> None:
    assert guard(EVERYWHERE).wrong_url(url) is None


def test_plain_http_is_taken_only_where_the_settings_say_so() -> None:
    careful = Guard(allowed=read("public"))

    assert careful.wrong_url("http://example.com/") == (
        "scheme_not_allowed",
        "Give a URL that begins with https://.",
    )


# --- names, at the moment of the connection ---


class Names:
    """Names that resolve as a test says, each time to the next addresses."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = {f"{name}.example.com": found for name, found in answers.items()}

    def __call__(self, host: str, port: int) -> list[str]:
        each = self._answers[host]
        return each.pop(0) if len(each) > 1 else each[0]


async def test_one_bad_address_of_a_name_is_enough() -> None:
    names = Names(two=[["8.8.8.8", "169.254.169.254"]])

    assert await why(guard(look_up=names), "two.example.com") == "address_forbidden"


async def test_a_name_that_is_listed_is_allowed_wherever_it_is_but_never_at_metadata() -> None:
    names = Names(
        **{
            "crm": [["10.0.0.1"]],
            "a.inner": [["10.0.0.2"]],
            "evilinner": [["10.0.0.3"]],
            "bad.inner": [["169.254.169.254"]],
        }
    )
    listed = guard("CRM.example.com,.inner.example.com", look_up=names)

    assert await why(listed, "crm.example.com") is None
    assert await why(listed, "a.inner.example.com") is None
    assert await why(listed, "evilinner.example.com") == "address_not_allowed"
    assert await why(listed, "bad.inner.example.com") == "address_forbidden"


@pytest.fixture
def receiver() -> object:
    with receiving() as made:
        yield made


async def posted(guard: Guard, url: str, timeout: float = 5.0) -> object:
    poster = Poster(guard, timeout=timeout)
    try:
        return (await poster.post(url, b"{}", {"webhook-id": "evt_1"})).outcome
    finally:
        await poster.close()


async def test_a_name_that_resolves_elsewhere_by_then_is_not_called(
    receiver: Receiver,
) -> None:
    judging = guard(look_up=Names(moves=[["8.8.8.8"], ["127.0.0.1"]]))
    url = receiver.url().replace("127.0.0.1", "moves.example.com")

    assert await judging.wrong_address(url, 5) is None  # as it was registered
    outcome = await posted(judging, url)

    assert outcome == Missed("address_not_allowed")
    assert receiver.got == []


async def test_the_connection_goes_to_the_address_that_was_judged(
    receiver: Receiver,
) -> None:
    # Asked a second time, the name would lead to where nothing may go.
    names = Names(moves=[["127.0.0.1"], ["169.254.169.254"]])
    url = receiver.url().replace("127.0.0.1", "moves.example.com")

    outcome = await posted(guard(LOOPBACK, look_up=names), url)

    assert outcome == Taken(204)
    assert receiver.got[0].headers["host"] == f"moves.example.com:{receiver.port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]"])
async def test_an_address_in_a_url_is_judged_too(receiver: Receiver, host: str) -> None:
    outcome = await posted(guard(), receiver.url().replace("127.0.0.1", host))

    assert outcome == Missed("address_not_allowed")
    assert receiver.got == []


async def test_a_redirect_is_a_failure_and_not_followed(receiver: Receiver) -> None:
    receiver.says = [Says(302, {"Location": receiver.url("/elsewhere")})]

    outcome = await posted(guard(LOOPBACK), receiver.url())

    assert outcome == Missed("redirected", 302)
    assert [one.path for one in receiver.got] == ["/hook"]


async def test_no_proxy_of_the_environment_steps_in_between(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert await posted(guard(LOOPBACK), receiver.url()) == Taken(204)


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    receiver: Receiver, tmp_path: Path
) -> None:
    receiver.close()
    receiver.open(certificate=self_signed(tmp_path))

    outcome = await posted(guard(LOOPBACK), receiver.url().replace("http:", "https:"))

    assert outcome == Missed("tls_failed")
    assert receiver.got == []


async def test_a_certificate_of_an_authority_of_the_operator_is_taken(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.close()
    certificate = self_signed(tmp_path)
    receiver.open(certificate=certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    names = Names(other=[["127.0.0.1"]])
    by_name = receiver.url().replace("http://127.0.0.1", "https://other.example.com")

    assert await posted(guard(LOOPBACK), receiver.url().replace("http:", "https:")) == Taken(204)
    # The certificate is for the address, and not for whoever resolves to it.
    assert await posted(guard(LOOPBACK, look_up=names), by_name) == Missed("tls_failed")


def self_signed(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 with its key into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(key.private_bytes(encoding, *plain) + made.public_bytes(encoding))
    return path
