"""Working days are counted as people count them on a wall calendar."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from pmosync.workdays import Workdays, date_of, day_number, workdays

MON_FRI = range(5)
FRIDAY = dt.date(2026, 5, 22)

days = st.integers(-20_000, 40_000)
calendars = st.builds(
    workdays,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.lists(st.dates(dt.date(1960, 1, 1), dt.date(2050, 1, 1)), max_size=20),
)


def between(calendar: Workdays, first: dt.date, last: dt.date) -> int:
    return calendar.at(day_number(last)) - calendar.at(day_number(first))


def test_from_friday_to_monday_is_one_working_day_and_to_saturday_none() -> None:
    calendar = workdays(MON_FRI)
    assert between(calendar, FRIDAY, FRIDAY + dt.timedelta(days=3)) == 1
    assert between(calendar, FRIDAY, FRIDAY + dt.timedelta(days=1)) == 0


def test_a_holiday_is_no_working_day() -> None:
    whit_monday = FRIDAY + dt.timedelta(days=3)
    calendar = workdays(MON_FRI, [whit_monday])
    assert between(calendar, FRIDAY, whit_monday) == 0
    assert between(calendar, FRIDAY, whit_monday + dt.timedelta(days=1)) == 1
    assert not calendar.works(day_number(whit_monday))


@given(calendars, days, st.integers(0, 100))
def test_the_index_of_a_day_does_not_depend_on_the_range_that_was_asked_for(
    calendar: Workdays, first: int, length: int
) -> None:
    assert calendar.index(first, first + length) == [calendar.at(day) for day in range(first, first + length + 1)]


@given(calendars, days, st.integers(0, 100))
def test_the_index_counts_every_day_that_is_worked(calendar: Workdays, first: int, length: int) -> None:
    counted = sum(calendar.works(day) for day in range(first + 1, first + length + 1))
    assert calendar.at(first + length) - calendar.at(first) == counted


def test_the_hash_changes_with_a_holiday_on_a_working_day_only() -> None:
    plain = workdays(MON_FRI)
    assert workdays(MON_FRI, [dt.date(2026, 5, 23)]).hash == plain.hash, "a Saturday"
    assert workdays(MON_FRI, [FRIDAY]).hash != plain.hash
    assert workdays(range(6)).hash != plain.hash


@given(st.dates())
def test_a_day_number_gives_its_date_back(day: dt.date) -> None:
    assert date_of(day_number(day)) == day
