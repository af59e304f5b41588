"""What clients send, one example for each body. Numbers and addresses are for fiction."""

from typing import Any, Final

Example = dict[str, Any]

_TEXT: Final = {"filename": "lettre.txt", "content_base64": "Qm9uam91ciBNYWRhbWUgRHVyYW5kLgo="}

BODIES: Final[dict[str, Example]] = {
    "EmailIn": {
        "from": {"address": "service@exemple.fr"},
        "to": [{"address": "marie.durand@exemple.fr", "name": "Marie Durand"}],
        "subject": "Votre dossier",
        "text": "Bonjour, votre dossier est complet.",
        "reference": "DOSSIER-2026-0042",
        "billing_code": "RH",
    },
    "SmsIn": {
        "to": "+33639980001",
        "text": "Votre code : 1234",
        "sender": "MASOCIETE",
        "purpose": "otp",
        "reference": "OTP-77",
    },
    "LetterIn": {
        "to": {
            "title": "Mme",
            "last_name": "Durand",
            "first_name": "Marie",
            "address": {
                "line1": "12 RUE DES LILAS",
                "postal_code": "75011",
                "city": "PARIS",
                "country": "FR",
            },
        },
        "documents": [_TEXT],
        "color": False,
        "envelope": "C5",
        "subject": "Relance",
        "reference": "FACT-9001",
        "billing_code": "COMPTA",
    },
    "FaxIn": {
        "to": "+33199000001",
        "to_name": "Mairie",
        "document": _TEXT,
        "retry": {"on": ["busy"], "max_attempts": 3, "delays_seconds": [300, 900]},
        "reference": "FAX-12",
    },
    "ResolveIn": {"outcome": "assume_sent", "reason": "The recipient has it in hand"},
    "ResolveBatchIn": {
        "filter": {"channel": "sms", "status": "uncertain"},
        "outcome": "not_sent",
        "reason": "The provider's console shows none of them",
        "dry_run": True,
    },
    "EmailAddressIn": {"address": "marie.durand@exemple.fr"},
    "PhoneNumberIn": {"number": "06 39 98 00 01", "region": "FR", "kind": "mobile"},
    "PostalAddressIn": {
        "title": "Mme",
        "last_name": "Durand",
        "first_name": "Marie",
        "address": {
            "line1": "12, rue de l'Église",
            "postal_code": "93200",
            "city": "Saint-Denis",
            "normalise": True,
        },
    },
    "EstimateIn": {
        "channel": "sms",
        "to": "+33639980001",
        "text": "Votre forêt est sauvée.",
        "encoding": "transliterate",
    },
    "ReportIn": {"kind": "provider_efidem", "from": "2026-10-01", "to": "2026-10-31"},
    "ProviderUserIn": {"username": "m.durand", "password": "a-long-passphrase"},
    "SearchIn": {"recipient": "+33639980001", "channel": "sms", "limit": 20},
    "WebhookEndpointIn": {
        "url": "https://orders.intern.exemple.fr/messages",
        "description": "Orders",
        "events": ["message.delivered", "message.failed"],
        "channels": ["sms"],
    },
    "WebhookEndpointChangeIn": {"events": ["message.delivered", "message.failed"]},
    "RotateSecretIn": {"overlap_hours": 24},
    "RecoverIn": {"since": "2026-11-20T08:00:00+01:00"},
    "ClientIn": {"name": "orders", "unique_references": True, "daily_quotas": {"sms": 5000}},
    "ClientChangeIn": {"rate": 50, "daily_quotas": {"sms": 5000, "letter": 200}},
    "TeamIn": {"recipients": ["marie.durand@exemple.fr", "+33639980001"]},
    "KeyIn": {
        "mode": "test",
        "scopes": ["sms:send", "messages:read"],
        "label": "continuous integration",
    },
    "RotateIn": {"overlap_seconds": 86400},
}

# Of operations whose body has a model that others share.
OF_OPERATION: Final[dict[str, Example]] = {
    "sendEmailBatch": {
        "defaults": {
            "from": {"address": "service@exemple.fr"},
            "subject": "Votre dossier",
            "text": "Bonjour, votre dossier est complet.",
        },
        "messages": [
            {"to": [{"address": "marie.durand@exemple.fr"}], "reference": "DOSSIER-1"},
            {"to": [{"address": "paul.martin@exemple.fr"}], "reference": "DOSSIER-2"},
        ],
    },
    "sendSmsBatch": {
        "defaults": {"text": "Votre rendez-vous est demain."},
        "messages": [
            {"to": "+33639980001", "reference": "RDV-1"},
            {"to": "+33639980101", "reference": "RDV-2"},
        ],
    },
}
