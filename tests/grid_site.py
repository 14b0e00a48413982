"""A site whose pages of pictures are made up, to test what a browser does with them: what is handed in is written down,
and the server can be told to fail."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn
from PIL import Image
from starlette.responses import JSONResponse, Response

from browser import Served
from holotype.project import Project
from holotype.web import pages
from holotype.web.app import create_app
from holotype.web.routing import page
from holotype.web.serving import listening
from holotype.web.settings import RATES, Settings
from holotype.web.visit import Refused, Visit
from holotype.web.work.grid import (
    ExamplePicture,
    Grid,
    Picture,
    PictureMark,
    Progress,
    Question,
    QuizPage,
    TasksPage,
    Turk,
)

WIKIPEDIA = "https://en.wikipedia.org/wiki/Special:Search?search=Burmese+cat"
CAT = Question(
    "n02123597",
    "Siamese cat",
    "a",
    ("Siamese cat", "Siamese"),
    "a slender short-haired blue-eyed breed of cat having a pale coat with dark ears paws face and tail tip",
    "de",
    ("Siamkatze",),
    WIKIPEDIA,
)
FLAGS = {"unclear": "Nobody can tell", "wrong": "The definition is wrong", "offensive": "Offensive", "broken": "Broken"}
OF_PICTURES = {kind: FLAGS[kind] for kind in ("offensive", "broken")}
SIZES = [(256, 192), (192, 256), (256, 256), (256, 120), (90, 256)]

Draw = Callable[[int, bool], bytes]


def plain(number: int, large: bool) -> bytes:
    """A picture of one colour."""
    width, height = SIZES[number % len(SIZES)]
    made = io.BytesIO()
    image = Image.new("RGB", (width * (4 if large else 1), height * (4 if large else 1)), (40 * number % 255, 120, 160))
    image.save(made, "JPEG", quality=60)
    return made.getvalue()


@dataclass
class Desk:
    """What the site does: pages are called ``p-1``, ``p-2``, … and have `size` pictures; `fails` is a status that
    hand-ins get, `broken` are numbers of pictures that do not load. `sheets` is what was handed in, in order."""

    size: int = 48
    fails: int = 0
    broken: set[int] = field(default_factory=set)
    sheets: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    flags: list[list[tuple[str, str]]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    platform: str = ""
    draw: Draw = plain
    question: Question = CAT
    examples: int = 5
    sizes: list[tuple[int, int]] = field(default_factory=lambda: SIZES)

    def grid(self, id: str, **changes: Any) -> Grid:
        pictures = tuple(
            Picture(n, f"/tasks/{id}/{n}.jpg", *self.sizes[n % len(self.sizes)], f"/tasks/{id}/{n}.jpg?large=1")
            for n in range(1, self.size + 1)
        )
        examples = tuple(
            ExamplePicture(f"/tasks/x/{n}.jpg", *self.sizes[n % len(self.sizes)], "", n < 103, "Persian cat")
            for n in range(100, 100 + self.examples)
        )
        made = Grid(
            id,
            "sheet",
            self.question,
            pictures,
            examples,
            f"/tasks/{id}",
            progress=Progress(3, 144, 1.2),
            draft=f"/tasks/{id}/draft",
            flag="/flag",
            flag_kinds=FLAGS,
            picture_flag_kinds=OF_PICTURES,
        )
        return replace(made, **changes)

    def show(self, visit: Visit) -> Response:
        id = visit.path["page"]
        given = next((fields for page, fields in self.sheets if page == id), None)
        grid = self.grid(id)
        if given is not None:
            said = {int(value): name for name in ("yes", "unsure") for key, value in given if key == name}
            seen = tuple(replace(one, answer=said.get(one.number, "no")) for one in grid.pictures)
            grid = replace(grid, pictures=seen, done=True)
        return pages.render(visit, "work/grid.html", grid=grid)

    def hand_in(self, visit: Visit) -> Response:
        self.asked["hand in"] += 1
        if self.fails:
            raise Refused(self.fails, "The desk is closed.")
        id = visit.path["page"]
        if id not in {page for page, _ in self.sheets}:
            self.sheets.append((id, list(visit.form)))
        onward = f"/tasks/p-{int(id[2:]) + 1}"
        wants = "json" in visit.request.headers.get("accept", "")
        return JSONResponse({"handed_in": True, "new": True, "next": onward}) if wants else pages.redirect(onward)

    def picture(self, visit: Visit) -> Response:
        number = int(visit.path["n"])
        if number in self.broken:
            raise Refused(404, "There is no such picture.")
        self.asked[visit.request.url.path] += 1
        return pages.picture(self.draw(number, bool(visit.asked("large"))), cache="private, max-age=600")

    def following(self, visit: Visit) -> Response:
        self.asked["following"] += 1
        after = visit.field("after", "")
        if not after:
            return pages.redirect("/tasks/p-1")
        id = f"p-{int(after[2:]) + 1}"
        return JSONResponse({"next": f"/tasks/{id}", "pictures": [f"/tasks/{id}/{n}.jpg" for n in range(1, 49)]})

    def flag(self, visit: Visit) -> Response:
        self.flags.append(list(visit.form))
        if "json" in visit.request.headers.get("accept", ""):
            return Response(status_code=204)
        return pages.redirect(f"/tasks/{visit.field('page')}")

    def turk(self, visit: Visit) -> Response:
        assignment = visit.asked("assignmentId")
        preview = not assignment or assignment == "ASSIGNMENT_ID_NOT_AVAILABLE"
        turk = Turk("" if preview else assignment, preview)
        none: dict[str, str] = {}
        grid = self.grid("t-1", form="turk", hand_in=visit.asked("submit", "/nowhere"), turk=turk, draft="", flag="")
        grid = replace(grid, flag_kinds=none, picture_flag_kinds=none, progress=None)
        answer = pages.render(visit, "work/turk.html", grid=grid, requester="A museum")
        policy = pages.headers(frames=True)["Content-Security-Policy"]
        if self.platform:  # which stands in for Mechanical Turk, and so does whatever site frames the page
            policy = policy.replace(pages.TURK, self.platform).replace(pages.TURK_FRAMES, "http://localhost:*")
        answer.headers["Content-Security-Policy"] = policy
        return answer

    def train(self, visit: Visit) -> Response:
        grid = self.grid("s-1", form="training", hand_in="/training/n02123597", attempt=0)
        grid = replace(grid, pictures=grid.pictures[:10])
        if visit.request.method == "GET":
            return pages.render(visit, "work/training.html", grid=grid)
        self.sheets.append(("s-1", list(visit.form)))
        ticked = {int(value) for key, value in visit.form if key == "yes"}
        marks = {n: PictureMark("yes" if n in ticked else "no", "yes" if n < 6 else "no") for n in range(1, 11)}
        passed = sum(one.given == one.right for one in marks.values()) > 7
        return pages.render(visit, "work/training.html", grid=grid, marks=marks, passed=passed)

    def quiz(self, visit: Visit) -> Response:
        glosses = (CAT.gloss, "any of several large cats", "a long-haired breed of cat")
        quiz = QuizPage(visit.asked("step", "read"), CAT, glosses, 0, "/quiz/n02123597", "/quiz/n02123597?step=ask")
        return pages.render(visit, "work/quiz.html", quiz=quiz)

    def tasks(self, visit: Visit) -> Response:
        tasks = TasksPage("/tasks/next", Progress(12, 576, 1.23), 0.95, visit.asked("why"), 10, "")
        return pages.render(visit, "work/tasks.html", tasks=tasks)


@contextmanager
def desk_site(db: Project, desk: Desk) -> Iterator[Served]:
    """The site of a project, with pages of the desk's instead of its own."""
    settings = Settings(db.secret("web"), rates=dict.fromkeys(RATES, (1e6, 1e6)))
    app = create_app(db, settings)
    app.router.routes[:0] = [
        page("/tasks", desk.tasks, "worker"),
        page("/tasks/next", desk.following, "worker", ("POST",)),
        page("/tasks/{page}", desk.show, "worker"),
        page("/tasks/{page}", desk.hand_in, "worker", ("POST",)),
        page("/tasks/{page}/draft", lambda _: Response(status_code=204), "worker", ("POST",)),
        page("/tasks/{page}/{n:int}.jpg", desk.picture, None, kind="picture"),
        page("/page/t-1", desk.turk, None, frames=True),
        page("/training/n02123597", desk.train, "worker"),
        page("/training/n02123597", desk.train, "worker", ("POST",)),
        page("/quiz/n02123597", desk.quiz, "worker"),
        page("/flag", desk.flag, "worker", ("POST",)),
    ]
    listener = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Served(db, f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join()
