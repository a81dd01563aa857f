"""Sending an alert: printed always, by mail, to Slack and elsewhere where the settings say so."""

import json
import logging
import os
import smtplib
import ssl
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import getaddresses, quote
from functools import partial
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlsplit

from outlay.alerts.apprise_channel import TITLE, notify
from outlay.capture.guard import guarded
from outlay.capture.printing import show_line
from outlay.core.errors import OutlayError, SettingsError
from outlay.home import working_folder
from outlay.settings import load
from outlay.settings.tables import CHANNEL_KEYS

log = logging.getLogger("outlay")
_TIMEOUT = 5.0  # seconds for one channel
_SUBMISSION = 587
_WEB = frozenset({"http", "https"})
Channel = Callable[[str], None]


def send_alert(message: str, *, environ: Mapping[str, str] | None = None) -> None:
    """Print an alert, and send it over each channel that is set up; one that fails is logged and left out.

    ``OUTLAY_ALERT_SLACK`` is the URL of an incoming webhook. ``OUTLAY_ALERT_SMTP`` is the mail server,
    ``smtp://USER:PASSWORD@HOST:PORT`` (``smtps`` for TLS from the start), which sends to
    ``OUTLAY_ALERT_EMAIL``; ``OUTLAY_ALERT_FROM`` is the sender, else the receiver. ``OUTLAY_ALERT_APPRISE``
    are addresses of any other channel, as apprise writes them, with spaces between. The table ``[alerts]`` of
    outlay.toml may name the same; with ``environ`` given, nothing else is looked at.
    """
    guarded(show_line)(f"ALERT: {message}")
    for name, channel in (_set_up() if environ is None else channels(environ)).items():
        try:
            channel(message)
        except Exception as error:  # noqa: BLE001 - a channel may fail in any way; the others still go out
            log.warning("outlay: the alert could not be sent to %s: %s", name, reason_of(error))


def reason_of(error: Exception) -> str:
    """Say why a channel failed: an error of ours in its words, of another its kind alone.

    The words of others may repeat an address, and an address of a channel is a key.
    """
    if isinstance(error, OutlayError):
        return str(error)
    beneath = getattr(error, "reason", None)  # a URLError says nothing of what went wrong
    kind = type(beneath if isinstance(beneath, Exception) else error).__name__
    code = getattr(error, "code", None) or getattr(error, "smtp_code", None)
    return f"{kind} {code}" if isinstance(code, int) else kind


def _set_up() -> dict[str, Channel]:
    """Give the channels of outlay.toml and of the environment; settings that cannot be leave the latter."""
    try:
        return channels_of(load(os.environ, working_folder()).alerts, os.environ)
    except SettingsError as error:
        log.warning("outlay: the alert goes only where the environment says: %s", error)
        return channels(os.environ)


def channels(environ: Mapping[str, str]) -> dict[str, Channel]:
    """Give the channels that are set up, by name."""
    found: dict[str, Channel] = {}
    if webhook := environ.get("OUTLAY_ALERT_SLACK", "").strip():
        found["slack"] = lambda message: post(webhook, message)
    server, receiver = (environ.get(f"OUTLAY_ALERT_{name}", "").strip() for name in ("SMTP", "EMAIL"))
    if server and receiver:
        receivers = [_written(*each) for each in getaddresses([receiver]) if each[1]] or [receiver]
        sender = environ.get("OUTLAY_ALERT_FROM", "").strip() or receivers[0]
        found |= _each("mail", [partial(mail, server, sender, each) for each in receivers])
    urls = environ.get("OUTLAY_ALERT_APPRISE", "").split()
    return found | _each("apprise", [partial(notify, url) for url in urls])


def _written(name: str, address: str) -> str:
    """Write an address as it was; a server may take one with letters of any alphabet."""
    return f'"{quote(name)}" <{address}>' if name else address


def _each(name: str, ways: Sequence[Channel]) -> dict[str, Channel]:
    """Name each of several addresses: what one did not take is no matter of the others."""
    return {name if len(ways) == 1 else f"{name} {number}": way for number, way in enumerate(ways, 1)}


def channels_of(alerts: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Channel]:
    """Give the channels that the settings' ``alerts`` and the environment name; the latter wins.

    Raises:
        SettingsError: an address that is no text, or no list of them; a mail server without a receiver, or
            the other way round.
    """
    said: dict[str, str] = {}
    for key in sorted(CHANNEL_KEYS & set(alerts)):
        value = alerts[key]
        many = value if key == "apprise" and isinstance(value, list) else [value]
        if not all(isinstance(each, str) for each in many):
            raise SettingsError(f"alerts.{key}: write a text in quotes")
        said[f"OUTLAY_ALERT_{key.upper()}"] = " ".join(many)
    whole = {**said, **environ}
    has_server, has_receiver = (
        bool(whole.get(f"OUTLAY_ALERT_{name}", "").strip()) for name in ("SMTP", "EMAIL")
    )
    if has_server is not has_receiver:
        lacks = "email" if has_server else "smtp"
        raise SettingsError(
            f"mail needs smtp and email: name {lacks} in [alerts], or OUTLAY_ALERT_{lacks.upper()}"
        )
    return channels(whole)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirection for an error: urllib follows it by a GET, which leaves the message out."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def post(webhook: str, message: str) -> None:
    """Post a message to a Slack webhook, or whatever takes the same.

    Raises:
        SettingsError: that is no URL of the web.
        OSError: nobody took it there; one that sends us elsewhere did not.
    """
    if urlsplit(webhook).scheme not in _WEB:
        raise SettingsError("a webhook is an http or https URL")
    body = json.dumps({"text": message}).encode()
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        webhook, data=body, headers={"Content-Type": "application/json"}
    )
    try:
        urllib.request.build_opener(_NoRedirect).open(request, timeout=_TIMEOUT).close()
    except HTTPError as error:
        error.close()  # it is an answer too, and holds its connection
        raise


def mail(server: str, sender: str, receiver: str, message: str) -> None:
    """Send a message by mail.

    Where the server offers TLS it is used. A password is given only to a server whose certificate this
    machine trusts; SSL_CERT_FILE names others, as a house's own. Without a password ``smtp`` takes any.

    Raises:
        SettingsError: the server's URL is none, or it would be given a password in the clear.
        OSError: the server did not take it, or is not the one that it says.
    """
    where = urlsplit(server)
    if where.scheme not in {"smtp", "smtps"} or not where.hostname:
        raise SettingsError("a mail server is written smtp://USER:PASSWORD@HOST:PORT")
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = TITLE, sender, receiver
    letter.set_content(message)
    with _connected(where) as (smtp, sealed):
        if where.username:
            if not sealed:
                raise SettingsError("the mail server offers no TLS, and a password is not sent without it")
            smtp.login(unquote(where.username), unquote(where.password or ""))
        smtp.send_message(letter)


@contextmanager
def _connected(where: SplitResult) -> Iterator[tuple[smtplib.SMTP, bool]]:
    """Connect to a mail server, under TLS from the start or as soon as it offers that; say whether it is."""
    host, trusted = where.hostname or "", ssl.create_default_context()  # smtplib's own takes any certificate
    if where.scheme == "smtps":
        with smtplib.SMTP_SSL(host, where.port or 0, timeout=_TIMEOUT, context=trusted) as smtp:
            yield smtp, True
        return
    with smtplib.SMTP(host, where.port or _SUBMISSION, timeout=_TIMEOUT) as smtp:
        smtp.ehlo()
        offered = smtp.has_extn("starttls")
        if offered:
            smtp.starttls(context=trusted if where.username else _any_certificate())
        yield smtp, offered


def _any_certificate() -> ssl.SSLContext:
    """Give TLS as mail servers speak it among each other: that of one's own machine has signed its own."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
