"""Checks how an answer is put into words, and how long it asks us to wait, without any call."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ReadTimeoutError

from pmosync.http.reasons import (
    Secrets,
    decoded,
    is_html,
    local_time,
    never_sent,
    retry_after_s,
    said,
    why_lost,
)

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


# --- the tool's own words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, ""),
        (["not", "a", "body"], ""),
        ({}, ""),
        ("plain text", "plain text"),
        ("<html><body>Sign in</body></html>", ""),
        ("  several\n lines\tof it ", "several lines of it"),
        ({"errorMessages": ["one", 2], "errors": {"due": "too old", "key": "taken"}}, "one 2 due: too old key: taken"),
        ({"errorMessages": "no list", "message": "told"}, "told"),
        ({"errorMessage": "a", "message": "b", "error_description": "c"}, "a b c"),
        ({"message": None}, ""),
        ({"errors": [{"message": "first"}, {"help": "no message"}, "bare"]}, "first {'help': 'no message'} bare"),
        ({"errors": "neither"}, ""),
        ({"message": "told", "errors": ["bare"]}, "told bare"),
    ],
)
def test_the_tools_words_are_taken_from_wherever_it_puts_them(body: Any, words: str) -> None:
    assert said(body) == words


def test_words_of_four_hundred_characters_are_told_whole_and_longer_ones_are_cut() -> None:
    assert said("x" * 400) == "x" * 400
    assert said("x" * 401) == "x" * 399 + "…"


# --- bodies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (b"", "text/HTML; charset=utf-8", True),
        (b"\n  <!DOCTYPE html>", "", True),
        (b"<HTML lang=en>", "application/json", True),
        (b'{"a": "<html>"}', "application/json", False),
        (b" " * 195 + b"<html>", "", True),
        (b" " * 196 + b"<html>", "", False),
    ],
)
def test_a_web_page_is_known_by_its_type_or_by_how_it_begins(content: bytes, content_type: str, expected: bool) -> None:
    assert is_html(content, content_type) is expected


def test_a_body_is_data_or_its_text_or_nothing() -> None:
    assert decoded(b' {"a": 1}') == {"a": 1}
    assert decoded(b" \n") is None
    assert decoded(b"not json \xff") == "not json \ufffd"


# --- secrets --------------------------------------------------------------------------------------------------------


def test_a_secret_is_hidden_whole_also_when_another_one_is_a_part_of_it() -> None:
    secrets = Secrets()
    for one in ("bcd", "abcdef/1", ""):
        secrets.keep(one)
    assert secrets.hide("abcdef/1, abcdef%2F1 and bcd, not bc") == "***, *** and ***, not bc"


# --- waiting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "  "}, None),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 12:01:30 GMT"}, 90.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:01:30 -0000"}, 90.0),
        ({"retry-after": "Sat, 21 Nov 2026 14:01:30 +0200"}, 90.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:59:00 GMT"}, 0.0),
        ({"retry-after": "Sat, 21 Nov 2026 13:00:10 GMT", "date": "Sat, 21 Nov 2026 13:00:00 GMT"}, 10.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:20 GMT", "date": "unreadable"}, 20.0),
    ],
)
def test_retry_after_is_read_in_all_its_forms_and_a_date_by_the_servers_own_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(headers, NOW) == seconds


def test_a_time_on_another_day_is_told_with_its_day() -> None:
    here = NOW.astimezone()
    to_midnight_s = 86400 - (here.hour * 3600 + here.minute * 60)
    assert local_time(NOW, to_midnight_s - 60) == "23:59"
    tomorrow = here.date() + dt.timedelta(days=1)
    assert local_time(NOW, to_midnight_s) == f"{tomorrow:%Y-%m-%d} 00:00"


# --- lost connections -----------------------------------------------------------------------------------------------


def lost(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/x", reason))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (requests.ConnectTimeout("no"), True),
        (lost(NewConnectionError(None, "refused")), True),  # type: ignore[arg-type]
        (lost(ConnectTimeoutError("late")), True),
        (lost(ReadTimeoutError(None, "/x", "late")), False),  # type: ignore[arg-type]
        (requests.ConnectionError("reset"), False),
        (requests.ConnectionError(), False),
    ],
)
def test_a_call_was_never_sent_only_when_no_connection_was_made(error: Exception, expected: bool) -> None:
    assert never_sent(error) is expected


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.ConnectionError(), "ConnectionError"),
        (requests.ConnectionError("it: broke"), "broke"),
        (requests.ConnectionError(ValueError("('inner words')")), "inner words"),
        (lost(OSError(111, "Connection refused")), "[Errno 111] Connection refused"),
        (requests.ConnectionError("y" * 300), "y" * 200),
    ],
)
def test_why_a_connection_was_lost_is_told_by_its_innermost_cause(error: Exception, words: str) -> None:
    assert why_lost(error) == words
