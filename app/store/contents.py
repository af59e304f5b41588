"""How a message's content is written into its row, and read back."""

from typing import Final

from pydantic import TypeAdapter

from app.domain.message import Channel, Content, Email, Fax, Letter, Sms

_ADAPTERS: Final[dict[Channel, TypeAdapter[Content]]] = {
    Channel.EMAIL: TypeAdapter(Email),
    Channel.SMS: TypeAdapter(Sms),
    Channel.LETTER: TypeAdapter(Letter),
    Channel.FAX: TypeAdapter(Fax),
}


def written(channel: Channel, content: Content) -> str:
    """Return a content as the text that its row keeps."""
    return _ADAPTERS[channel].dump_json(content).decode()


def read(channel: Channel, text: str) -> Content:
    """Return the content behind a row's text."""
    return _ADAPTERS[channel].validate_json(text)
