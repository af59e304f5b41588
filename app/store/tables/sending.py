"""Messages, and all that happens to them."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from app.store.tables.declaring import column, metadata, partial, small_json
from app.store.times import UtcDateTime

# Many messages that were accepted at once.
batches = Table(
    "batches",
    metadata,
    Column("id", Uuid, primary_key=True),
    column("client_id", Uuid, ForeignKey("clients.id")),
    column("mode", String(8)),
    column("channel", String(8)),
    column("sending", String(16)),  # individual, provider_multi
    column("size", Integer),
    column("created_at", UtcDateTime),
)

# A message is its own place in the queue: `status` and `due_at` say what is to be done and when.
# What is written with every message names no other table by a constraint: each would cost a lookup
# and a lock a row. Clients are never deleted, and who deletes messages deletes what is theirs.
#
# Every move of a status writes an entry into each index that has the row, changed or not: an index
# that most messages are in costs each of them about four times.
messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    column("client_id", Uuid),
    column("mode", String(8)),
    column("channel", String(8)),
    column("provider", String(32)),
    column("created_at", UtcDateTime),
    Column("send_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("reference", String(200)),  # the client's own
    Column("billing_code", String(100)),
    column("purpose", String(32)),
    column("tags", JSON),
    column("metadata", JSON),
    column("warnings", JSON),
    Column("batch_id", Uuid),
    # Of messages that leave in one call: only one of them has a `due_at` at a time.
    Column("campaign_id", Uuid),
    column("content", Text),  # JSON of the channel's content
    Column("size", Integer),  # bytes of its content and files
    column("recipient", String(200)),  # masked
    Column("recipient_digest", String(64)),  # keyed hash of the normalised recipient
    Column("units", Integer),  # what is paid for: parts of a text message, pages
    Column("encoding", String(8)),  # of a text message: gsm7, ucs2
    # Where it stands.
    column("status", String(20)),
    Column("previous_status", String(20)),
    column("status_at", UtcDateTime),
    column("status_source", String(32)),
    Column("status_checked_at", UtcDateTime),
    Column("due_at", UtcDateTime),  # when the next step is due: submit, or ask for the status
    Column("blocked_reason", String(64)),
    Column("failure", small_json()),
    column("sequence", Integer),  # of its last event
    # The attempt under way, or the last one.
    column("fence", Integer),  # rises with every claim: who holds an older one writes nothing
    Column("lease_until", UtcDateTime),
    column("attempts", Integer),
    column("checks", Integer),  # how often its status was asked
    Column("attempt_reference", String(20)),
    Column("submitted_at", UtcDateTime),
    # What the provider said.
    Column("provider_function", String(64)),
    Column("provider_message_id", String(100)),
    Column("provider_code", String(100)),
    Column("provider_label", String(500)),
    Column("unmapped_code", String(100)),  # its last one, where nobody has said what it means
    Column("unmapped_function", String(64)),  # whose table lacks that code
    Column("pages_sent", Integer),
    Column("document_fetched_at", UtcDateTime),
    Column("ack_overdue_at", UtcDateTime),
    Column("on_uncertain", String(8)),  # hold, retry: once it is proven that nothing was sent
    Index("ix_messages_list", "client_id", "mode", "id"),
    partial("ix_messages_reference", "reference IS NOT NULL", "client_id", "reference", "id"),
    # A part of the hash tells recipients apart as well, and keeps the index small: nothing in it
    # is in the order of time, all of it is in use.
    partial(
        "ix_messages_recipient",
        "recipient_digest IS NOT NULL",
        text("substr(recipient_digest, 49)"),
        "id",
    ),
    partial(
        "ix_messages_billing_code", "billing_code IS NOT NULL", "client_id", "billing_code", "id"
    ),
    partial("ix_messages_batch", "batch_id IS NOT NULL", "batch_id", "id"),
    partial("ix_messages_campaign", "campaign_id IS NOT NULL", "campaign_id"),
    partial("ix_messages_unmapped", "unmapped_code IS NOT NULL", "provider", "unmapped_code"),
    partial("ix_messages_to_submit", "status IN ('queued', 'scheduled')", "channel", "due_at"),
    # Not those of which nobody asks any more: they are nearly all.
    partial(
        "ix_messages_to_track",
        "status IN ('submitted', 'sent', 'delivered') AND due_at IS NOT NULL",
        "due_at",
    ),
    partial("ix_messages_uncertain", "status = 'uncertain'", "channel", "due_at"),
    partial("ix_messages_leased", "status = 'submitting'", "lease_until"),
    partial(
        "ix_messages_expiring",
        "status IN ('queued', 'scheduled') AND expires_at IS NOT NULL",
        "expires_at",
    ),
)

# The recipients of a message that has several, or whose provider tells of each.
recipients = Table(
    "recipients",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("place", Integer, primary_key=True),
    column("kind", String(4)),  # to, cc
    column("address", String(320)),
    Column("digest", String(64)),  # as a message's `recipient_digest`
    column("status", String(20)),
    column("status_at", UtcDateTime),
    Column("failure", small_json()),
    Column("provider_code", String(100)),
    Column("provider_label", String(500)),
    Column("provider_time", String(64)),
    Column("unmapped_code", String(100)),  # as a message has them
    Column("unmapped_function", String(64)),
    partial("ix_recipients_digest", "digest IS NOT NULL", "digest"),
    partial("ix_recipients_unmapped", "unmapped_code IS NOT NULL", "unmapped_code"),
)

# One call that may have sent something; the row is committed before any byte leaves.
attempts = Table(
    "attempts",
    metadata,
    Column("id", Uuid, primary_key=True),
    column("message_id", Uuid),
    column("number", Integer),
    column("reference", String(20), unique=True),
    column("provider", String(32)),
    column("fence", Integer),
    column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    # accepted, refused, deferred, blocked, unclear; by evidence: found, absent
    Column("outcome", String(16)),
    Column("provider_message_id", String(100)),
    Column("code", String(100)),
    Column("words", String(500)),
    Column("why", String(200)),
    Column("raw", String(500)),
    Column("slot_code", String(100)),  # under which a text message was sent
    Column("expected", Integer),  # what the provider counted under it before
    Column("absent_at", UtcDateTime),  # when evidence first showed nothing of it
    Column("late", small_json()),  # an outcome that came after the lease: evidence, no move
    UniqueConstraint("message_id", "number"),
    partial(
        "ix_attempts_provider_message_id", "provider_message_id IS NOT NULL", "provider_message_id"
    ),
)
