"""Exit codes: which of several wins, and what each says about a cycle."""

from __future__ import annotations

import pytest

from pmosync.cycle import Outcome, SiteOutcome
from pmosync.errors import GuardRefused, Unauthorized, Unavailable
from pmosync.exits import exit_code
from pmosync.pull import Pulled
from pmosync.push import Pushed

DENIED = Unauthorized("the site does not accept the credentials")
DOWN = Unavailable("the site does not answer")


def done() -> SiteOutcome:
    return SiteOutcome(Pulled(records=5), Pushed(done=2))


def quiet() -> SiteOutcome:
    return SiteOutcome(Pulled())


def held() -> SiteOutcome:
    return SiteOutcome(locked="held")


def denied() -> SiteOutcome:
    return SiteOutcome(Pulled(trouble=DENIED), trouble=DENIED)


def never_described() -> SiteOutcome:
    return SiteOutcome(trouble=DOWN)


def broke_off() -> SiteOutcome:
    return SiteOutcome(Pulled(records=7, trouble=DOWN), trouble=DOWN)


def unobserved() -> SiteOutcome:
    return SiteOutcome(Pulled(records=7, unobserved={"project:1": "403"}))


def refused() -> SiteOutcome:
    return SiteOutcome(Pulled(records=7), Pushed(done=1, refused=["no"]))


def unknown() -> SiteOutcome:
    return SiteOutcome(Pulled(records=7), Pushed(done=1, unknown=["lost"]))


def push_failed() -> SiteOutcome:
    return SiteOutcome(Pulled(records=7), Pushed(trouble=DOWN), trouble=DOWN)


def push_held() -> SiteOutcome:
    return SiteOutcome(Pulled(records=7), locked="held")


@pytest.mark.parametrize(
    ("sites", "expected"),
    [
        ([done()], 0),
        ([quiet(), done()], 0),
        ([SiteOutcome()], 0),
        ([held()], 13),
        ([held(), held()], 13),
        ([held(), done()], 11),
        ([held(), denied()], 1),
        ([denied()], 1),
        ([denied(), never_described()], 1),
        ([denied(), done()], 11),
        ([broke_off()], 11),
        ([unobserved()], 11),
        ([refused()], 11),
        ([unknown()], 11),
        ([push_failed()], 11),
        ([push_held()], 11),
    ],
)
def test_the_fates_of_the_sites_decide(sites: list[SiteOutcome], expected: int) -> None:
    assert exit_code(Outcome(dict(zip("abc", sites, strict=False)))) == expected


def test_of_several_reasons_the_strongest_wins() -> None:
    guard = GuardRefused("too much")
    assert exit_code(Outcome({"a": held()}, refused=guard), changes=True, found=True) == 13
    assert exit_code(Outcome({"a": denied()}, refused=guard), changes=True, found=True) == 1
    assert exit_code(Outcome({"a": unobserved()}, refused=guard), changes=True, found=True) == 12
    assert exit_code(Outcome({"a": unobserved()}), changes=True, found=True) == 11
    assert exit_code(Outcome({"a": done()}), changes=True, found=True) == 14
    assert exit_code(Outcome({"a": done()}), changes=True) == 10
    assert exit_code(Outcome({"a": done()})) == 0


def test_a_store_that_another_run_holds_makes_a_run_partial() -> None:
    assert exit_code(Outcome({"a": done()}, locked="held")) == 11
