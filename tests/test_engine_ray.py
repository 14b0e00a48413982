"""Work on a cluster: the contract of `map_batches`, and what is lost on the way. One cluster of two nodes for all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import holotype
from conftest import run
from holotype.engine import map_batches
from holotype.engine.answers import Answers
from holotype.engine.cluster import Cluster
from holotype.engine.parcels import answered, opened, packed
from holotype.engine.queries import Task, ask
from holotype.errors import EngineError, InvalidTaxonomy
from stages import write_photographs

pytest.importorskip("ray", reason="Ray is not installed")
pytest.importorskip("daft", reason="Daft is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore:::ray"),
    pytest.mark.filterwarnings("ignore:::daft"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A cluster of two nodes with a CPU each, at the address that the environment names."""
    import ray
    from ray.cluster_utils import Cluster as Nodes

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ours = Path(holotype.__file__).parents[1], Path(__file__).parent
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, ours)))
        found = Nodes(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        found.add_node(num_cpus=1)
        patch.setenv("RAY_ADDRESS", found.address)
        patch.setenv("HOLOTYPE_ENGINE", "ray")
        yield found
        ray.shutdown()
        found.shutdown()


def square(number: int) -> int:
    return number * number


def fail_on_seven(number: int) -> int:
    if number == 7:
        raise InvalidTaxonomy("seven", 7)
    return number


def end_once(flag: Path, number: int) -> int:
    """Ends the process that it runs in, the first time that it is asked of 20."""
    if number == 20:
        try:
            flag.touch(exist_ok=False)
        except FileExistsError:
            return number
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def engine_of(_: int) -> str:
    from holotype.engine import chosen

    return chosen()


@pytest.mark.usefixtures("nodes")
def test_results_come_in_order() -> None:
    assert list(map_batches(square, range(100))) == [number * number for number in range(100)]
    assert list(map_batches(square, [])) == []


@pytest.mark.usefixtures("nodes")
def test_batches_without_an_end_are_taken_by_the_window() -> None:
    taken = 0

    def numbers() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = map_batches(square, numbers())
    assert list(islice(results, 40)) == [number * number for number in range(1, 41)]
    assert taken <= 32 + 32 + 64
    results.close()


@pytest.mark.usefixtures("nodes")
def test_an_error_is_raised_at_its_place_as_it_was() -> None:
    got = []
    with pytest.raises(InvalidTaxonomy, match="seven") as raised:
        for number in map_batches(fail_on_seven, range(1000)):
            got.append(number)  # noqa: PERF402
    assert got == list(range(7))
    assert raised.value.problems == 7


@pytest.mark.usefixtures("nodes")
def test_behind_a_batch_that_drains_nothing_is_computed_ahead() -> None:
    given: set[int] = set()
    seen: list[tuple[int, set[int]]] = []

    def numbers() -> Iterator[int]:
        for number in (1, 2, 0, 3):
            seen.append((number, set(given)))
            yield number

    for number in map_batches(square, numbers(), drains=lambda number: number == 0):
        given.add(number)
    assert seen == [(1, set()), (2, set()), (0, set()), (3, {1, 4, 0})]


@pytest.mark.usefixtures("nodes")
def test_what_a_worker_maps_itself_it_maps_on_threads() -> None:
    assert list(map_batches(engine_of, [0])) == ["threads"]


@pytest.mark.usefixtures("nodes")
def test_what_cannot_be_sent_says_so() -> None:
    lock = threading.Lock()
    with pytest.raises(EngineError, match="cannot be sent to a cluster: TypeError: cannot pickle '_thread.lock'"):
        list(map_batches(lambda number: (lock, number), [1]))
    with pytest.raises(EngineError, match="cannot be sent to a cluster"):
        list(map_batches(repr, [lock]))
    with pytest.raises(EngineError, match="cannot be sent to a cluster"):
        list(map_batches(lambda _: threading.Lock(), [1]))


@pytest.mark.usefixtures("nodes")
def test_a_query_that_begins_once_it_was_dropped_leaves_the_next_its_planner() -> None:
    from ray.exceptions import RayError

    cluster = Cluster.joined()
    cluster.drop()
    with pytest.raises(RayError, match="dropped before it began"):
        list(ask(Task.of(square), {0: packed(1)}, 1))
    assert list(map_batches(square, [3])) == [9]


@pytest.mark.usefixtures("nodes")
def test_a_planner_of_others_in_this_process_is_not_used() -> None:
    import daft

    cluster = Cluster.joined()
    cluster.drop()
    cluster.runner.flotilla_plan_runner = None
    assert daft.from_pydict({"number": [1]}).into_partitions(1).to_pydict() == {"number": [1]}
    assert not hasattr(cluster.planner, "session")
    assert list(map_batches(square, [3])) == [9]


@pytest.mark.usefixtures("nodes")
def test_maps_side_by_side_outlive_the_end_of_one() -> None:
    first, second = map_batches(square, range(200)), map_batches(square, range(200))
    got = [next(second)]
    next(first)
    first.close()
    assert [*got, *second] == [number * number for number in range(200)]


@pytest.mark.usefixtures("nodes")
def test_a_worker_of_another_version_is_told_in_a_line() -> None:
    from ray import cloudpickle

    with ThreadPoolExecutor(1) as pool:
        answers = Answers(Cluster.joined(), Task.of(square, holotype="0.0.9"), [cloudpickle.dumps(1)], pool)
        with pytest.raises(EngineError) as raised:
            list(answers)
    python = "Python {}.{}".format(*sys.version_info)
    version = holotype.__version__
    said = f"a worker has holotype {version} on {python}, and here is holotype 0.0.9 on {python}: they have to be alike"
    assert str(raised.value) == said


@pytest.mark.usefixtures("nodes")
def test_what_a_lost_worker_had_begun_is_done_again_and_given_once(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    assert list(map_batches(partial(end_once, flag), range(100))) == list(range(100))
    assert flag.exists()


def facts(folder: Path) -> list[tuple[object, ...]]:
    """What a project knows of its images, with their bytes and thumbnails, and of the files that came in."""
    with holotype.open(folder) as db:
        found: list[tuple[object, ...]] = [
            (one.candidate.sha256, one.wnid, one.candidate.location, one.read(), one.thumbnail())
            for one in db.images.find("")
        ]
        return [*found, *((one.origin, one.outcome, one.reason, one.sha256) for one in db.images.inputs())]


@pytest.mark.usefixtures("nodes")
def test_a_folder_that_a_cluster_takes_in_is_that_which_threads_take_in(tmp_path: Path) -> None:
    write_photographs(tmp_path / "photos")
    found = []
    for engine in ("threads", "ray"):
        project = str(tmp_path / engine)
        run("init", project)
        said = run("ingest", tmp_path / "photos", "-p", project, "--engine", engine)
        found.append((said, facts(Path(project))))
    assert found[0] == found[1]


def test_what_was_on_a_lost_node_is_done_again_and_given_once(nodes: Any) -> None:
    results = map_batches(square, range(200))
    got = [next(results)]
    (second,) = (node for node in nodes.worker_nodes)
    nodes.remove_node(second, allow_graceful=False)
    assert [*got, *results] == [number * number for number in range(200)]


ALONE = """
from holotype.engine import map_batches, using
from holotype.errors import EngineError
with using("ray"):
    try:
        print(list(map_batches(abs, [-1, 2])), end="")
    except EngineError as error:
        print(error, end="")
"""
"""A program that maps on a cluster."""
THREADED = """
from threading import Thread
from holotype.engine import map_batches
found = []
def work():
    found.append(list(map_batches(abs, [-1, 2], kind="ray")))
for _ in range(2):
    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(found == 6 * [[1, 2]], end="")
"""
"""One that maps on several threads at once, and on others once these have ended."""


def told(script: str = ALONE, **environment: str) -> str:
    """What a process of its own says of work on a cluster."""
    about = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | environment
    return subprocess.run([sys.executable, "-c", script], env=about, capture_output=True, text=True, check=True).stdout


def test_without_an_address_a_cluster_is_started_and_ended_and_leaves_nothing() -> None:
    with TemporaryDirectory() as folder:
        assert told(TMPDIR=folder) == "[1, 2]"
        assert list(Path(folder).iterdir()) == []


def test_a_cluster_that_a_thread_started_is_one_for_all_and_outlives_it() -> None:
    with TemporaryDirectory() as folder:
        assert told(THREADED, TMPDIR=folder) == "True"
        assert list(Path(folder).iterdir()) == []


class Unknown:
    """Cannot be opened again."""

    def __reduce__(self) -> tuple[Any, ...]:
        return import_module, ("no_such_library",)


def test_what_cannot_be_opened_at_the_other_end_is_told_in_a_line() -> None:
    there = opened(answered(packed(square), [packed(Unknown())])[0]).error
    assert isinstance(there, EngineError)
    assert "cannot be opened at the other end: ModuleNotFoundError: No module named 'no_such_library'" in str(there)
    with pytest.raises(EngineError, match="cannot be opened at the other end"):
        opened(packed(Unknown()))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "nobody answers at RAY_ADDRESS=127.0.0.1:1: "),
        ("nowhere", "RAY_ADDRESS is 'nowhere', not HOST:PORT"),
        ("ray://127.0.0.1:10001", "RAY_ADDRESS is ray://127.0.0.1:10001, the address of Ray's client"),
    ],
)
def test_an_address_that_is_none_is_told_in_a_line(address: str, said: str) -> None:
    assert told(RAY_ADDRESS=address).startswith(said)


def test_another_server_at_the_address_is_no_cluster() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert told(RAY_ADDRESS=address) == f"no Ray cluster answers at RAY_ADDRESS={address}"
