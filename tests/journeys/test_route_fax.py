"""Faxes by Efidem, where the operator routes them so."""

from tests.journeys import samples
from tests.journeys.system import System


def test_an_operator_routes_faxes_to_efidem_and_a_client_may_still_name_the_other(
    alone: System,
) -> None:
    alone.settings["MULTICANAL_ROUTE_FAX"] = "efidem"
    alone.up()

    routed = alone.until(alone.send("faxes", samples.fax()), "delivered")
    named = alone.until(alone.send("faxes", samples.fax(provider="fax123")), "delivered")

    told = [(one["provider"]["name"], one["provider"]["operation"]) for one in (routed, named)]
    assert told == [("efidem", "ENVOYER_FAX"), ("fax123", "http.php")]
    assert [one["function"] for one in alone.ledger("efidem")] == ["ENVOYER_FAX"]
    assert len(alone.ledger("fax123")) == 1
