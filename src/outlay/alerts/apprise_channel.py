"""Any other channel, by its apprise URL: chats, telephones, incident services."""

import logging

from outlay.core.errors import MissingExtraError, SettingsError

TITLE = "LLM cost alert"


class ChannelError(OSError):
    """A channel that did not take a message."""


def notify(url: str, message: str) -> None:
    """Send a message to an address.

    Raises:
        MissingExtraError: apprise is not installed.
        SettingsError: the address is none.
        OSError: it did not take it.
    """
    try:
        from apprise import Apprise  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("alerts", "apprise") from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it logs addresses, and we tell what failed
    addresses = Apprise()
    if not addresses.add(url):
        raise SettingsError("an apprise address cannot be read")
    if not addresses.notify(body=message, title=TITLE):
        raise ChannelError("the address did not take the message")
