"""Parameters of the template reach `make serve` whole, with the blanks that are in a value."""

import shlex
import subprocess

import pytest

from infra.local.template import ROOT, TemplateError, given_parameters

GIVEN = "FreightFen=800 ConsentVersions=account:2 card_visits:3 AlarmEmail="
WANTED = {"FreightFen": "800", "ConsentVersions": "account:2 card_visits:3", "AlarmEmail": ""}


@pytest.mark.parametrize("texts", [[GIVEN], ["FreightFen=800", GIVEN.partition(" ")[2]], [f"  {GIVEN}  "]])
def test_a_value_lasts_until_the_next_name(texts: list[str]) -> None:
    assert given_parameters(texts) == WANTED


@pytest.mark.parametrize("text", ["", "FreightFen", "800 FreightFen=1", "=800", "account:2 card_visits:3"])
def test_a_text_that_begins_without_a_name_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="NAME=VALUE"):
        given_parameters([text])


def test_make_hands_them_on_as_they_are_given() -> None:
    printed = subprocess.run(
        ["make", "-n", "serve", f"PARAMETERS={GIVEN}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    (command,) = [line for line in printed.replace("\\\n", " ").splitlines() if "infra.demo serve" in line]
    words = shlex.split(command)
    texts = [words[at + 1] for at, word in enumerate(words) if word == "--parameter"]

    assert given_parameters(texts) == WANTED
