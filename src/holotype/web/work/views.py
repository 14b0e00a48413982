"""From what the desk tells to what templates are given: addresses and words."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from holotype.consensus.votes import Answer
from holotype.crowd.figures import Figures
from holotype.crowd.flags import BROKEN, NOBODY_CAN_TELL, OF_PICTURES, OFFENSIVE, WRONG_DEFINITION
from holotype.ontology.concept import language_code
from holotype.project.showing import Example, Sight
from holotype.web.visit import Visit
from holotype.web.work.grid import ExamplePicture, Picture, Progress, Question

FLAG_WORDS: Final = {
    NOBODY_CAN_TELL: "Nobody could tell from a picture",
    WRONG_DEFINITION: "The definition is wrong or unclear",
    OFFENSIVE: "It is offensive",
    BROKEN: "It is broken",
}
PICTURE_FLAG_WORDS: Final = {kind: FLAG_WORDS[kind] for kind in OF_PICTURES}
ANSWERS: Final = {Answer.NO: "no", Answer.UNSURE: "unsure", Answer.YES: "yes"}


def languages(header: str) -> list[str]:
    """The languages of an ``Accept-Language``, best first, as its first parts; English and what follows are left out.

    >>> languages("de-CH,fr;q=0.8,en;q=0.5,it;q=0.3")
    ['de', 'fr']
    """
    ranked = []
    for place, part in enumerate(header[:200].split(",")):
        name, _, rest = part.strip().partition(";")
        quality = rest.strip().removeprefix("q=")
        weight = float(quality) if quality.replace(".", "", 1).isdecimal() and quality.isascii() else 1.0
        tag = name.split("-")[0].strip().lower()
        if tag.isascii() and tag.isalpha() and 2 <= len(tag) <= 3:
            ranked.append((-weight, place, tag))
    found = [tag for _, _, tag in sorted(ranked)]
    return found[: found.index("en")] if "en" in found else found


def question(visit: Visit, wnid: str) -> Question:
    """A synset as it is asked for, or a question made by hand in its own words. Raises `UnknownSynset`."""
    if text := visit.db.questions.text(wnid):
        return Question(wnid, text, "", (text,), "Any of what is asked for counts.", "", (), "")
    synset = visit.db.ontology[wnid]
    language, local = _local(visit, wnid)
    article = "an" if synset.name[:1].lower() in "aeiou" else "a"
    site, word = (language, local[0]) if len(language) == 2 else ("en", synset.name)
    wikipedia = f"https://{site}.wikipedia.org/wiki/Special:Search?{urlencode({'search': word, 'go': 'Go'})}"
    return Question(wnid, synset.name, article, synset.lemmas, synset.gloss, language, local, wikipedia)


def _local(visit: Visit, wnid: str) -> tuple[str, tuple[str, ...]]:
    """The first of a person's languages that has lemmas of a synset, and these; "" and none where none has."""
    wanted = languages(visit.request.headers.get("accept-language", ""))
    said = visit.db.lemmas.of(visit.db.ontology[wnid]) if wanted else []
    for tag in wanted:
        if found := tuple(lemma for language, lemma in said if language == _code(tag)):
            return tag, found
    return "", ()


def _code(tag: str) -> str:
    try:
        return language_code(tag)
    except ValueError:
        return ""


def pictures(visit: Visit, sight: Sight, worker: str = "") -> tuple[Picture, ...]:
    """The pictures of a page, addressed for a worker or, without one, for whoever has the page."""
    root = f"/{'tasks' if worker else 'page'}/{quote(sight.page, safe='')}"
    found = []
    for number, (width, height) in enumerate(sight.sizes, 1):
        address = f"{root}/{number}.jpg?k={visit.db.desk.key(sight, number, worker)}"
        answer = ANSWERS[Answer(sight.answers[number - 1])] if sight.answers is not None else ""
        found.append(Picture(number, address, width, height, f"{address}&large=1", answer))
    return tuple(found)


def examples(visit: Visit, sight: Sight) -> tuple[ExamplePicture, ...]:
    """The examples beside a page."""
    return tuple(_example(visit, one) for one in sight.examples)


def _example(visit: Visit, one: Example) -> ExamplePicture:
    address = f"/example/{one.number}.jpg?k={one.key}"
    name = visit.db.ontology[one.wnid].name
    return ExamplePicture(address, *one.size, f"{address}&large=1", one.shows, name)


def progress(figures: Figures) -> Progress:
    """How far a worker is."""
    return Progress(figures.pages, figures.pictures, figures.pace)


def page_address(page: str) -> str:
    """Where a worker's page is."""
    return f"/tasks/{quote(page, safe='')}"
