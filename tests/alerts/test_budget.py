"""The daily budget: strictly over it, once a day, over restarts, processes and zones."""

import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from tests.support.receivers import mails

from outlay.alerts import check_budget, send_alert
from outlay.alerts.send import post
from outlay.core.errors import JournalError

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "llm_calls.jsonl"


def write(log: Path, *costs: Any, at: str = "2026-01-05T10:00:00+00:00") -> None:
    with log.open("a") as file:
        file.writelines(json.dumps({"timestamp": at, "cost": cost}) + "\n" for cost in costs)


def check(log: Path, sent: list[str], now: datetime = NOON, **given: Any) -> bool:
    return check_budget(log, tz=given.pop("tz", "UTC"), send=sent.append, now=lambda: now, **given)


def test_row_099_a_missing_log_is_no_alert(log: Path) -> None:
    sent: list[str] = []
    assert check(log, sent) is False
    assert sent == []


def test_row_099_strictly_over_and_once_a_day(log: Path) -> None:
    sent: list[str] = []
    write(log, 9.0, 1.0)
    assert check(log, sent) is False
    write(log, 2.34, None)
    assert check(log, sent) is True
    assert check(log, sent) is True
    assert sent == ["⚠️ Budget Alert: Today's cost is $12.34 (budget: $10.0)"]
    write(log, 11, at="2026-01-06T00:30:00Z")
    assert check(log, sent, now=datetime(2026, 1, 6, 1, tzinfo=UTC)) is True
    assert len(sent) == 2


def test_row_099_another_budget_is_another_alert(log: Path) -> None:
    sent: list[str] = []
    write(log, 30)
    check(log, sent)
    check(log, sent, daily_budget=20)
    check(log, sent)
    assert [message.partition("budget: ")[2] for message in sent] == ["$10.0)", "$20.0)"]


FULL = """
import resource, signal, sys
from datetime import datetime, UTC
from outlay.alerts import check_budget
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5, 5))
now = datetime(2026, 1, 5, 12, tzinfo=UTC)
check_budget(sys.argv[1], tz="UTC", send=lambda _: None, now=lambda: now, daily_budget=20)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are those of POSIX")
def test_marks_that_cannot_be_written_leave_those_that_were(log: Path) -> None:
    sent: list[str] = []
    write(log, 30)
    check(log, sent)
    done = subprocess.run([sys.executable, "-c", FULL, str(log)], check=False, capture_output=True, text=True)
    assert "File too large" in done.stderr
    check(log, sent)
    assert len(sent) == 1


def test_row_099_a_day_is_that_of_the_zone(log: Path) -> None:
    sent: list[str] = []
    write(log, 11, at="2026-01-04T23:30:00Z")
    assert check(log, sent) is False
    assert check(log, sent, tz="Africa/Cairo") is True


def test_row_099_lines_that_cannot_be_read_count_for_nothing(log: Path) -> None:
    bad = [
        "{torn",
        '{"cost": 50}',
        '{"cost": "x", "timestamp": "2026-01-05"}',
        '{"cost": 50, "timestamp": "soon"}',
        '{"cost": 50, "timestamp": 1e99}',
    ]
    log.write_text("\n".join(bad))
    assert check(log, []) is False


@pytest.mark.parametrize("tz", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_row_099_an_empty_time_as_other_languages_write_it_is_no_call_of_today(log: Path, tz: str) -> None:
    """Go's and .NET's; and the last one that there is."""
    sent: list[str] = []
    for at in ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59"):
        write(log, 50, at=at)
    assert check(log, sent, tz=tz) is False
    write(log, 11)
    assert check(log, sent, tz=tz) is True
    assert len(sent) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="TZ is POSIX's")
@pytest.mark.parametrize("tz", ["America/New_York", "Asia/Kolkata"])
def test_row_099_an_empty_time_on_a_machine_of_another_zone(
    log: Path, tz: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", tz)
    time.tzset()
    try:
        for at in ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00", "9999-12-31T23:59:59Z"):
            write(log, 50, at=at)
        assert check(log, [], tz=None) is False
    finally:
        monkeypatch.undo()
        time.tzset()


def test_row_099_what_was_sent_that_cannot_be_remembered_is_told_in_a_line(log: Path) -> None:
    write(log, 11)
    log.with_name(".llm_calls.jsonl.alerted").mkdir()
    with pytest.raises(JournalError, match="alerted cannot be read: Is a directory"):
        check(log, [])
    log.with_name(".llm_calls.jsonl.alerted").rmdir()
    log.with_name(".llm_calls.jsonl.alerted.lock").unlink()
    log.with_name(".llm_calls.jsonl.alerted.lock").mkdir()
    with pytest.raises(JournalError, match="alerted cannot be written"):
        check(log, [])


def test_row_099_a_send_that_fails_is_tried_again(log: Path) -> None:
    write(log, 11)

    def fail(_message: str) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        check_budget(log, tz="UTC", send=fail, now=lambda: NOON)
    sent: list[str] = []
    assert check(log, sent) is True
    assert len(sent) == 1


def test_row_100_an_alert_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    send_alert("too dear", environ={})
    assert capsys.readouterr().out == "ALERT: too dear\n"


def test_row_100_slack_gets_it_and_a_channel_that_fails_breaks_nothing(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    got: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        environ = {
            "OUTLAY_ALERT_SLACK": f"http://127.0.0.1:{server.server_port}/hook",
            "OUTLAY_ALERT_SMTP": "smtp://user:secret@127.0.0.1:1",
            "OUTLAY_ALERT_EMAIL": "me@example.org",
        }
        send_alert("too dear ⚠️", environ=environ)
        thread.join()
    assert got == [{"text": "too dear ⚠️"}]
    assert "could not be sent to mail" in caplog.text
    assert "secret" not in caplog.text + capsys.readouterr().out


@pytest.mark.parametrize("webhook", ["file:///etc/passwd", "hello", "http://127.0.0.1:1/x"])
def test_row_100_a_webhook_that_cannot_be_is_logged(webhook: str, caplog: pytest.LogCaptureFixture) -> None:
    send_alert("x", environ={"OUTLAY_ALERT_SLACK": webhook})
    assert "could not be sent to slack" in caplog.text


def test_a_webhook_that_has_moved_did_not_take_the_alert() -> None:
    """A redirection is followed by a GET, and the alert is lost on the way."""
    got: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append("POST")
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(302)
            self.send_header("Location", "/sign-in")
            self.end_headers()

        def do_GET(self) -> None:
            got.append("GET")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with pytest.raises(HTTPError, match="302"):
            post(f"http://127.0.0.1:{server.server_port}/hook", "too dear")
        server.shutdown()
        thread.join()
    assert got == ["POST"]


def test_row_100_an_output_that_cannot_show_a_sign_keeps_no_alert_back(tmp_path: Path) -> None:
    """As of a scheduled task under Windows, whose output is no UTF-8."""
    said = (
        "from outlay.alerts import send_alert; import os;"
        "send_alert('⚠️ too dear', environ={'OUTLAY_ALERT_APPRISE': os.environ['CHANNEL']})"
    )
    environ = {**os.environ, "PYTHONIOENCODING": "cp1252", "CHANNEL": f"file://{tmp_path}/nothing"}
    done = subprocess.run(
        [sys.executable, "-c", said], check=False, capture_output=True, text=True, env=environ, cwd=tmp_path
    )
    assert done.stdout == "ALERT: \\u26a0\\ufe0f too dear\n"
    assert "could not be sent to apprise" in done.stderr  # which was tried
    assert done.returncode == 0


def test_row_100_a_closed_output_keeps_no_alert_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    send_alert("x", environ={"OUTLAY_ALERT_SLACK": "http://127.0.0.1:1/x"})
    assert "could not be sent to slack" in caplog.text


def mail_server(listening: socket.socket, got: set[str]) -> None:
    """Take one letter, as a mail server without TLS does."""
    connection, _ = listening.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 ready\r\n")
        for line in lines:
            if line.upper().startswith(b"DATA"):
                connection.sendall(b"354 go on\r\n")
                got |= {text.decode().strip() for text in iter(lines.readline, b".\r\n")}
            connection.sendall(b"250 ok\r\n")


def test_row_100_a_mail_server_gets_it() -> None:
    got: set[str] = set()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=mail_server, args=(listening, got))
        thread.start()
        send_alert(
            "too dear",
            environ={
                "OUTLAY_ALERT_SMTP": f"smtp://127.0.0.1:{listening.getsockname()[1]}",
                "OUTLAY_ALERT_EMAIL": "me@example.org",
                "OUTLAY_ALERT_FROM": "outlay@example.org",
            },
        )
        thread.join()
    assert got >= {"Subject: LLM cost alert", "From: outlay@example.org", "To: me@example.org", "too dear"}


def test_row_100_a_password_is_given_to_a_server_alone_whose_certificate_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who stands between can offer TLS, too; smtplib by itself would take any certificate."""
    with mails(tmp_path / "mail.pem") as server:
        address = server.url.replace("smtp://", "smtp://user:secret@")
        environ = {"OUTLAY_ALERT_SMTP": address, "OUTLAY_ALERT_EMAIL": "me@example.org"}
        send_alert("too dear", environ=environ)
        assert "could not be sent to mail: SSLCertVerificationError" in caplog.text
        assert (server.got, server.passwords) == ([], [])
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        send_alert("too dear", environ=environ)
        assert ([each["To"] for each in server.got], server.passwords) == (["me@example.org"], [b"secret"])


def test_row_100_of_several_receivers_one_that_is_refused_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A mail server takes a letter for the others, and says so of none."""
    with mails(tmp_path / "mail.pem") as server:
        server.refuses = "gone@example.org"
        environ = {
            "OUTLAY_ALERT_SMTP": server.url,
            "OUTLAY_ALERT_EMAIL": "Team <team@example.org>, gone@example.org",
        }
        send_alert("too dear", environ=environ)
        assert [each["To"] for each in server.got] == ["Team <team@example.org>"]
    assert "could not be sent to mail 2: SMTPRecipientsRefused" in caplog.text
    assert "to mail 1" not in caplog.text


def test_row_100_an_address_of_any_alphabet_is_a_channel_and_never_a_fault_of_the_caller(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environ = {"OUTLAY_ALERT_SMTP": "smtp://127.0.0.1:1", "OUTLAY_ALERT_EMAIL": "Jürg <jürg@example.org>"}
    send_alert("too dear", environ=environ)
    assert "could not be sent to mail: ConnectionRefusedError" in caplog.text


def test_row_100_a_server_that_asks_no_password_may_have_signed_its_certificate_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with mails(tmp_path / "mail.pem") as server:
        send_alert(
            "too dear", environ={"OUTLAY_ALERT_SMTP": server.url, "OUTLAY_ALERT_EMAIL": "me@example.org"}
        )
        assert [each.get_content().strip() for each in server.got] == ["too dear"]
    assert caplog.text == ""


def test_row_100_it_goes_out_though_the_working_folder_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    send_alert("too dear")
    assert capsys.readouterr().out == "ALERT: too dear\n"
