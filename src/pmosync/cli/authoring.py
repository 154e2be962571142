"""The verbs for those who write standards: standards test, lint and diff.

They ask no site and change nothing; what the stored data has to say is asked in the store that the configuration names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from pmosync.cli.options import AsJson, Packs, common, configured
from pmosync.cli.terminal import give_json, say, table
from pmosync.config import Config
from pmosync.errors import Misconfigured
from pmosync.exits import CHANGES, DONE, FOUND, WRONG
from pmosync.judge.asking import Affected, Answers, Difference, ask, differences
from pmosync.judge.examples import ExampleResult, run_examples
from pmosync.opening import standards_of, stored
from pmosync.reports import Row, Wanted, by_standard
from pmosync.reports.linting import Note, lint
from pmosync.standards import Standard, load_folder, load_packs, shipped_packs

NAMED = 5
"""So many subjects are named for each standard that would find others."""


def asked_packs(pack: Sequence[str] | None, config: Config) -> tuple[Standard, ...]:
    """The standards of the packs that were named, else those that are asked."""
    return load_packs(pack, Path()) if pack else standards_of(config)


def run_lint(context: typer.Context, pack: Packs = None, json: AsJson = False) -> None:
    """Look the standards over: what never or always fires, overlaps, or is past its review."""
    options = common(context)
    config = configured(options)
    standards = asked_packs(pack, config)
    answers, disputes = _answers(config, standards)
    notes = lint(standards, answers, options.clock()().astimezone(config.zone).date(), disputes)
    if json:
        give_json({"standards": len(standards), "data": answers is not None, "notes": [_note(one) for one in notes]})
    else:
        for one in notes:
            say(f"{one.place}: {one.standard} {one.what} → {one.next_step}")
        say(f"{len(standards)} standards, {len(notes)} notes")
        if answers is None:
            say(f"there is no store {config.store} yet: what the data says comes after the first `pmosync sync`")
    raise typer.Exit(FOUND if notes else DONE)


def _answers(config: Config, standards: Sequence[Standard]) -> tuple[Answers | None, Mapping[str, tuple[int, int]]]:
    """What the stored data says, and how many of the findings are disputed."""
    if not config.store.exists():
        return None, {}
    with stored(config) as store, store.reading() as connection:
        rows = by_standard(connection, standards, Wanted())
        return ask(connection, standards), {row["id"]: (row["disputed"], row["findings"]) for row in rows}


def _note(one: Note) -> Row:
    return {
        "check": one.check,
        "standard": one.standard,
        "place": one.place,
        "what": one.what,
        "next_step": one.next_step,
        "other": one.other or None,
    }


# --- diff -------------------------------------------------------------------------------------------------------------


def run_diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(metavar="OLD", help="A shipped pack, a file, or a folder of packs.")],
    after: Annotated[str, typer.Argument(metavar="NEW", help="The same, as it is to be.")],
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 10 when findings would appear or vanish.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show which findings would appear and vanish on the stored data if one pack took the place of another."""
    config = configured(common(context))
    old, new = _pack(before), _pack(after)
    with stored(config) as store, store.reading() as connection:
        found = list(differences(connection, old, new, first=NAMED))
    if json:
        give_json({"standards": [_difference(one) for one in found], **_total(found)})
    else:
        _tell_differences(found)
    raise typer.Exit(CHANGES if detailed_exitcode and any(one.appear or one.vanish for one in found) else DONE)


def _pack(entry: str) -> tuple[Standard, ...]:
    return load_folder(Path(entry)) if Path(entry).is_dir() else load_packs([entry], Path())


def _total(found: Sequence[Difference]) -> dict[str, int]:
    return {"appear": sum(one.appear for one in found), "vanish": sum(one.vanish for one in found)}


def _tell_differences(found: Sequence[Difference]) -> None:
    if not found:
        say("both find the same")
        return
    table(
        ("standard", "", "of a", "version", ">appear", ">vanish", "asks"),
        [
            (one.one.id, one.change, one.one.subject, _version(one), one.appear, one.vanish, one.one.title)
            for one in found
        ],
        fixed=(0, 1, 2, 3, 4, 5),
    )
    for one in found:
        for word, subjects, count in (
            ("appears", one.first_appear, one.appear),
            ("vanishes", one.first_vanish, one.vanish),
        ):
            for subject in subjects:
                say(f"{one.one.id} {word}: {subject.site} {subject.key} {subject.title}".rstrip())
            if count > len(subjects):
                say(f"{one.one.id} {word}: … and {count - len(subjects)} more")
    total = _total(found)
    say(f"{total['appear']} findings would appear and {total['vanish']} vanish; nothing was written")


def _version(one: Difference) -> str:
    if one.before is None or one.after is None:
        return str(one.one.version)
    same = one.before.version == one.after.version
    return f"still {one.after.version}" if same else f"{one.before.version} to {one.after.version}"


def _difference(one: Difference) -> Row:
    return {
        "id": one.one.id,
        "title": one.one.title,
        "subject": one.one.subject,
        "severity": one.one.severity,
        "change": one.change,
        "version_before": one.before and one.before.version,
        "version_after": one.after and one.after.version,
        "appear": one.appear,
        "vanish": one.vanish,
        "first_appear": [_affected(each) for each in one.first_appear],
        "first_vanish": [_affected(each) for each in one.first_vanish],
    }


def _affected(one: Affected) -> Row:
    return {"site": one.site, "key": one.key, "title": one.title}


# --- test -------------------------------------------------------------------------------------------------------------


def run_tests(context: typer.Context, pack: Packs = None, json: AsJson = False) -> None:
    """Run the examples of all standards, asked or shipped, through the SQL that judges real work."""
    standards = load_packs(pack, Path()) if pack else _all_there_are(configured(common(context)))
    results = run_examples(standards)
    failed = [result for result in results if not result.agrees]
    if json:
        give_json(
            {"standards": len(standards), "examples": len(results), "failed": [_failure(result) for result in failed]}
        )
    else:
        for result in failed:
            say(f"{result.place}: {result.standard} should answer {result.expected} and answers {result.got}")
        say(f"{len(standards)} standards, {len(results)} examples, {len(failed)} of them wrong")
    raise typer.Exit(WRONG if failed else DONE)


def _all_there_are(config: Config) -> list[Standard]:
    """The standards that are asked, and those of the shipped packs; two shipped packs may hold the same one."""
    shipped = (one for name in shipped_packs() for one in load_packs([name], Path()))
    return list({(one.id, one.place): one for one in (*standards_of(config), *shipped)}.values())


def tested(standards: Sequence[Standard]) -> str:
    """In a few words what there is, for the doctor; raises when an example fails."""
    results = run_examples(standards)
    failed = [result for result in results if not result.agrees]
    if failed:
        first = failed[0]
        raise Misconfigured(
            f"{len(failed)} of {len(results)} examples are wrong, the first: {first.standard} should answer "
            f"{first.expected} and answers {first.got}",
            where=first.place,
            hint="run `pmosync standards test`",
        )
    return f"{len(standards)} standards; all {len(results)} examples are right"


def _failure(result: ExampleResult) -> Row:
    return {"standard": result.standard, "expected": result.expected, "got": result.got, "place": result.place}
