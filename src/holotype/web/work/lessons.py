"""What is learned before a synset's first page: the definition quiz, and a page with feedback."""

from __future__ import annotations

from starlette.responses import Response

from holotype.crowd.lending import Nothing
from holotype.crowd.lessons import QUIZ, TRAINING
from holotype.project.learning import Marked
from holotype.project.showing import Sight
from holotype.web import pages
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit
from holotype.web.work import views
from holotype.web.work.forms import read_number, read_sheet
from holotype.web.work.grid import Grid, PictureMark, QuizPage
from holotype.web.work.tasks import mine

MOST_TRIES = 999_999


def show_quiz(visit: Visit) -> Response:
    """The definition to read or, with ``ask``, the glosses to choose from."""
    worker, wnid = visit.known.name, visit.path["wnid"]
    question = views.question(visit, wnid)
    attempt = visit.db.desk.attempts(worker, wnid, QUIZ)
    if (quiz := visit.db.desk.quiz(worker, wnid, attempt)) is None:
        return pages.redirect(_onward(visit, wnid))
    step = "ask" if visit.asked("ask") else "wrong" if visit.asked("wrong") else "read"
    address = f"/{QUIZ}/{wnid}"
    told = QuizPage(step, question, quiz.glosses if step == "ask" else (), attempt, address, f"{address}?ask=1")
    return pages.render(visit, "work/quiz.html", quiz=told)


def answer_quiz(visit: Visit) -> Response:
    """On where the right gloss was chosen, and back to the definition where not."""
    worker, wnid = visit.known.name, visit.db.ontology[visit.path["wnid"]].wnid
    attempt, choice = read_number(visit.field("attempt"), MOST_TRIES, 0), read_number(visit.field("choice"), 9, 0)
    right = visit.db.desk.answer_quiz(worker, wnid, attempt, choice, visit.now)
    return pages.redirect(_onward(visit, wnid) if right else f"/{QUIZ}/{wnid}?wrong=1")


def show_training(visit: Visit) -> Response:
    """A page to learn on."""
    wnid = visit.db.ontology[visit.path["wnid"]].wnid
    sight = visit.db.desk.training(visit.known.name, wnid, visit.now)
    if sight is None:
        return pages.redirect(_onward(visit, wnid))
    return pages.render(visit, "work/training.html", grid=_grid(visit, sight))


def hand_in_training(visit: Visit) -> Response:
    """What was right; that it was handed in is kept, once for each try."""
    worker, wnid, id = visit.known.name, visit.db.ontology[visit.path["wnid"]].wnid, visit.field("page")
    sight = mine(lambda: visit.db.desk.training_sight(id))
    if sight.wnid != wnid:
        raise Refused(400, "This page is of something else.")
    answers, seconds = read_sheet(visit.form, len(sight.sizes), frozenset({"page", "attempt"}))
    attempt = read_number(visit.field("attempt"), MOST_TRIES, 0)
    marked = mine(lambda: visit.db.desk.train(worker, id, attempt, answers, seconds or 0.0, visit.now))
    return pages.render(
        visit, "work/training.html", grid=_grid(visit, sight), marks=_marks(marked), passed=marked.passed
    )


def _marks(marked: Marked) -> dict[int, PictureMark]:
    words = views.ANSWERS
    return {mark.position: PictureMark(words[mark.given], words[mark.right]) for mark in marked.marks}


def _grid(visit: Visit, sight: Sight) -> Grid:
    worker = visit.known.name
    return Grid(
        page=sight.page,
        form="training",
        question=views.question(visit, sight.wnid),
        pictures=views.pictures(visit, sight, worker),
        examples=views.examples(visit, sight),
        hand_in=f"/{TRAINING}/{sight.wnid}",
        attempt=visit.db.desk.attempts(worker, sight.wnid, TRAINING),
    )


def _onward(visit: Visit, wnid: str) -> str:
    """Where a worker who has learned something goes on: to what is still to be learned, or to their page."""
    worker = visit.known.name
    if (lesson := visit.db.desk.lesson(worker, wnid)) is not None:
        return f"/{lesson.kind}/{lesson.wnid}"
    found = visit.db.desk.outlook(worker, visit.now)
    return views.page_address(found) if found and not isinstance(found, Nothing) else "/tasks"


routes = [
    page("/quiz/{wnid}", show_quiz, "worker"),
    page("/quiz/{wnid}", answer_quiz, "worker", ("POST",)),
    page("/training/{wnid}", show_training, "worker"),
    page("/training/{wnid}", hand_in_training, "worker", ("POST",)),
]
