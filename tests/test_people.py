"""People of a project: invitations, names and roles, whatever is asked for and however many ask at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Barrier
from typing import Any, cast

import pytest
from sqlalchemy import insert

from holotype.catalog import Catalog, schema
from holotype.errors import AccountError
from holotype.project.names import checked, look
from holotype.project.parts import Parts
from holotype.project.people import ROLES, Account, People


class Clock:
    """Time that passes when it is told to."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def people_of(catalog: Catalog, clock: Clock | None = None) -> People:
    return People(Parts(Path(), catalog, cast(Any, None), cast(Any, None), clock or Clock(), "salt"))


@pytest.fixture
def people(catalog: Catalog) -> People:
    return people_of(catalog)


def at_once(count: int, act: Callable[[int], Account]) -> tuple[list[Account], list[str]]:
    """What as many threads get that begin together, and what is said to those that get nothing."""
    begin = Barrier(count)

    def one(number: int) -> Account | str:
        begin.wait()
        try:
            return act(number)
        except AccountError as error:
            return str(error)

    with ThreadPoolExecutor(count) as threads:
        ended = list(threads.map(one, range(count)))
    return [one for one in ended if isinstance(one, Account)], [one for one in ended if isinstance(one, str)]


# Invitations


@pytest.mark.parametrize("grouped", [True, False])
def test_the_last_place_goes_to_one_however_many_come_at_once(catalog: Catalog, grouped: bool) -> None:
    people = people_of(catalog)
    secret = people.invite("worker", uses=3)
    with catalog.grouped() if grouped else nullcontext():
        joined, refused = at_once(10, lambda number: people.join(secret, f"Person {number}"))
    assert len(joined) == 3
    assert len(refused) == 7
    assert all("used up" in one for one in refused)
    assert [(one.used, one.open) for one in people.invitations()] == [(3, False)]
    assert len(people.everybody()) == 3


@pytest.mark.parametrize("grouped", [True, False])
def test_one_name_goes_to_one_however_many_want_it(catalog: Catalog, grouped: bool) -> None:
    people = people_of(catalog)
    secrets = [people.invite("worker") for _ in range(8)]
    with catalog.grouped() if grouped else nullcontext():
        joined, refused = at_once(8, lambda number: people.join(secrets[number], "Ada"))
    assert len(joined) == 1
    assert all("is called 'Ada' already" in one for one in refused)
    assert sorted(one.used for one in people.invitations()) == [0] * 7 + [1], "who was refused used up nothing"


def test_an_invitation_holds_for_its_days_and_until_it_is_ended(catalog: Catalog) -> None:
    clock = Clock()
    people = people_of(catalog, clock)
    secret = people.invite("auditor", uses=5, days=2)
    assert people.invitation(secret).expires == clock.now + 2 * 86_400
    clock.now += 2 * 86_400 - 1
    people.join(secret, "Ada")
    clock.now += 1
    with pytest.raises(AccountError, match="has expired"):
        people.join(secret, "Bea")
    endless = people.invite("worker", uses=5, by="Ada")
    people.end_invitation(people.invitation(endless).id, "Ada")
    people.end_invitation(people.invitations()[0].id, "Ada")
    with pytest.raises(AccountError, match="was ended"):
        people.join(endless, "Bea")
    assert [one.name for one in people.everybody()] == ["Ada"]


@pytest.mark.parametrize("secret", ["", "x", "\0", "\ud800", "' or 1=1 --", "a" * 100_000])
def test_no_other_secret_lets_anybody_in(people: People, secret: str) -> None:
    people.invite("operator")
    with pytest.raises(AccountError, match="is not known"):
        people.join(secret, "Eve")


@pytest.mark.parametrize(
    ("role", "uses", "days", "said"),
    [
        ("root", 1, None, "roles are viewer, worker"),
        ("worker", 0, None, "1 to 10,000"),
        ("worker", -1, None, "1 to 10,000"),
        ("worker", 10**9, None, "1 to 10,000"),
        ("worker", 1, 0.0, "some days"),
        ("worker", 1, float("nan"), "some days"),
        ("worker", 1, float("inf"), "some days"),
        ("worker", 1, -1.0, "some days"),
    ],
)
def test_invitations_that_cannot_be(people: People, role: str, uses: int, days: float | None, said: str) -> None:
    with pytest.raises(AccountError, match=said):
        people.invite(role, uses, days)
    assert people.invitations() == []


def test_the_secret_is_kept_nowhere(catalog: Catalog, people: People) -> None:
    secret = people.invite("operator")
    with catalog.read() as connection:
        held = [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM invitation")]
    assert held
    assert secret not in str(held)


# Names


@pytest.mark.parametrize(
    "name",
    [
        "Ada",
        "Zoë Müller-Łukasz",
        "O'Brien",
        "Nguyễn Văn An",
        "Ольга",
        "Γιώργος",
        "さくら",
        "王小明 2",
        "محمد",
        "हिन्दी",
        "Ada (museum)",
        "<b>Ada</b>",
        "Léa 🐝",
    ],
)
def test_names_of_people_are_names(people: People, name: str) -> None:
    assert people.join(people.invite("worker"), name).name == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "\t",
        "a" * 41,
        "...",
        "A\0da",
        "Ada\u200b",  # no width
        "\u202eadA",  # from right to left
        "Ada\ufe0f",  # a variant of a letter that has none
        "\u3164",  # a letter that nobody sees
        "\u2800\u2800",
        "A\u0301\u0302\u0303\u0304\u0305da",  # a heap of marks
        "\ud800",  # half a character
        "Аda",  # Cyrillic A
        "Adа Smith",  # Cyrillic a
        "Hοlly",  # Greek o
        "machine:resnet",
        "MACHINE: x",
        "Operator",
        "0perat0r",
        "Admin",
        "аdmin",
        "Ａｄｍｉｎ",
        "Holotype team",
        "simulated 3",
    ],
)
def test_names_that_cannot_be(people: People, name: str) -> None:
    with pytest.raises(AccountError):
        people.join(people.invite("worker"), name)
    assert people.everybody() == []


@pytest.mark.parametrize(
    "alike", ["ada lovelace", "ADA  LOVELACE", "Adalovelace", "Ａda Lovelace", "Ada L0velace", "Ada Iovelace"]
)
def test_names_that_look_alike_are_one(people: People, alike: str) -> None:
    people.join(people.invite("worker"), "Ada Lovelace")
    with pytest.raises(AccountError, match="already, or nearly so"):
        people.join(people.invite("worker"), alike)


def test_a_word_all_in_letters_that_look_alike_is_one(people: People) -> None:
    people.join(people.invite("worker"), "Coco")
    with pytest.raises(AccountError, match="nearly so"):
        people.join(people.invite("worker"), "Сосо")  # Cyrillic, every letter


def test_nobody_takes_the_name_of_somebody_who_voted(catalog: Catalog, people: People) -> None:
    catalog.transact(lambda connection: connection.execute(insert(schema.worker).values(name="Grace Hopper")))
    with pytest.raises(AccountError, match="already"):
        people.join(people.invite("worker"), "grace  hopper")


def test_what_is_shown_looks_as_itself() -> None:
    for name in ("Bill O", "Ольга", "Γιώργος"):
        assert look(checked(name)) == look(name)


# Roles


def test_roles_are_what_was_said_last(people: People) -> None:
    account = people.join(people.invite("worker"), "Ada")
    assert account.roles == {"worker"}
    people.grant(account.id, "auditor", "Olga")
    people.revoke(account.id, "worker", "Olga")
    people.revoke(account.id, "curator", "Olga")
    people.grant(account.id, "auditor", "Olga")
    found = people.account(account.id)
    assert found is not None
    assert found.roles == {"auditor"}
    assert {role for role in ROLES if found.may(role)} == {"auditor"}


def test_an_operator_may_all_but_audit(people: People) -> None:
    account = people.join(people.invite("operator"), "Olga", "a hash")
    assert {role for role in ROLES if account.may(role)} == {*ROLES} - {"auditor"}


def test_roles_and_accounts_that_there_are_not(people: People) -> None:
    account = people.join(people.invite("worker"), "Ada")
    for number, role in ((account.id, "root"), (account.id, ""), (account.id + 1, "worker"), (-1, "worker")):
        with pytest.raises(AccountError):
            people.grant(number, role, "Olga")


@pytest.mark.parametrize("grouped", [True, False])
def test_the_last_operator_stays_one_even_where_two_let_go_at_once(catalog: Catalog, grouped: bool) -> None:
    people = people_of(catalog)
    secret = people.invite("operator", uses=2)
    both = [people.join(secret, name, "a hash").id for name in ("Olga", "Otto")]

    def let_go(number: int) -> Account:
        people.revoke(both[number], "operator", "themselves")
        return people.everybody()[0]

    with catalog.grouped() if grouped else nullcontext():
        gone, refused = at_once(2, let_go)
    assert len(gone) == 1
    assert refused == ["the last operator stays one: make another one first"]
    assert sum("operator" in one.roles for one in people.everybody()) == 1
