"""Warnings that wait for a command's answer."""

import logging

import pytest

from outlay.cli.held import hold, let_go


def test_what_waits_comes_whole_unless_the_error_says_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert logging.lastResort is not None
    said = {"name": "outlay", "levelno": logging.WARNING, "levelname": "WARNING"}
    waits = logging.makeLogRecord({**said, "msg": "4 bytes wait: refused", "beside_answer": True})
    plain = logging.makeLogRecord({**said, "msg": "another"})
    for error, told in ((None, "4 bytes wait: refused\n"), ("gone", "4 bytes wait: refused\n"),
                        ("refused", "4 bytes wait\n")):  # fmt: skip
        hold()
        for each in (waits, plain):
            logging.lastResort.handle(each)
        assert capsys.readouterr().err == "another\n"
        let_go(error)
        assert capsys.readouterr().err == told
        let_go()
        assert capsys.readouterr().err == ""
