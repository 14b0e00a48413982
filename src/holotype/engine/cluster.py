"""The Ray cluster that work is spread over: joined where `RAY_ADDRESS` names one, or else started here and ended."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from holotype.engine.embedded import cpus
from holotype.errors import EngineError, NoRay

ADDRESS: Final = "RAY_ADDRESS"
_SILENT: Final = {"RAY_USAGE_STATS_ENABLED": "0", "DAFT_ANALYTICS_ENABLED": "0", "DO_NOT_TRACK": "true"}
"""Neither Ray nor Daft tells its makers that it is used, here or on a node."""
_PATIENCE: Final = 30
"""Seconds in which a cluster has to answer."""
_LONGEST: Final = 28
"""Characters of a folder below which Ray's sockets still have names of 107 characters at most."""
_WORKERS: Final = {**_SILENT, "OPENCV_FOR_THREADS_NUM": "1", "OMP_NUM_THREADS": "1"}
"""The environment of workers: there is one for each CPU, so that no library needs threads of its own."""
_joining: Final = threading.Lock()
_planning: Final = threading.Lock()


class _NoPlanner:
    """What is there once queries have been dropped: with none there, Daft would make the one that programs share."""

    def stream_plan(self, *_: object) -> Any:
        from ray.exceptions import RayError

        raise RayError("the query was dropped before it began")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that this process is part of, of so many `cpus`; queries are run there by Daft's `runner`."""

    cpus: int
    runner: Any = field(repr=False)

    @classmethod
    def joined(cls) -> Cluster:
        """Be part of a cluster, if this process is not yet.

        Raises `NoRay` where what it needs is not installed, and `EngineError` where nobody answers, the cluster is of
        another version, or has no CPU.
        """
        ray = _imported()
        with _joining:
            return cls._joined(ray)

    @classmethod
    def _joined(cls, ray: Any) -> Cluster:
        if not ray.is_initialized():
            address = os.environ.get(ADDRESS, "")
            _lasting(lambda: _start(ray)) if address in ("", "local") else _connect(ray, address)
        room = int(ray.cluster_resources().get("CPU", 0))
        if room < 1:
            raise EngineError("the Ray cluster has no CPU to work on: add a node to it")
        cluster = cls(room, _daft_runner())
        if getattr(cluster.planner, "session", None) != _session(ray):
            cluster.renew(cluster.planner)
        return cluster

    @property
    def planner(self) -> Any:
        """What plans queries now: an actor of this process's own."""
        return self.runner.flotilla_plan_runner

    def renew(self, planner: Any) -> None:
        """Plan queries anew, if `planner` or nobody does: what it has under way is dropped."""
        with _planning:
            if self.planner is planner or isinstance(self.planner, _NoPlanner):
                self._let_go()
                self.runner.flotilla_plan_runner = _planner()

    def drop(self) -> None:
        """Drop all queries that are under way, and the workers with them."""
        with _planning:
            self._let_go()

    def _let_go(self) -> None:
        import ray

        planner, self.runner.flotilla_plan_runner = self.planner, _NoPlanner()
        if ray.is_initialized() and getattr(planner, "session", None) == _session(ray):
            ray.kill(planner.runner)


def _planner() -> Any:
    """What plans queries and deals them out. Daft would share one by its name among all programs on a cluster, which
    ends with the first of them."""
    import ray
    from daft.runners.flotilla import FlotillaRunner, RemoteFlotillaRunner
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    class Planner(FlotillaRunner):  # type: ignore[misc]  # untyped
        def __init__(self) -> None:
            here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
            self.session = _session(ray)
            self.runner = RemoteFlotillaRunner.options(scheduling_strategy=here).remote()

    return Planner()


def _session(ray: Any) -> tuple[str, str]:
    """What tells one life in a cluster from another."""
    about = ray.get_runtime_context()
    return about.get_node_id(), about.get_job_id()


def _daft_runner() -> Any:
    """Daft's runner on the cluster. Raises `EngineError` where this process has chosen another."""
    import daft
    from daft.runners import get_or_infer_runner_type

    runner = daft.set_runner_ray(noop_if_initialized=True)
    if get_or_infer_runner_type() != "ray":
        raise EngineError("this process uses Daft with another runner than Ray's")
    return runner


def _imported() -> Any:
    for name, value in _SILENT.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import daft  # noqa: F401
        import ray
    except ImportError as error:
        raise NoRay(str(error)) from error
    return ray


def _lasting(start: Callable[[], None]) -> None:
    """Start something on a thread that lives as long as this process: Linux ends Ray's servers with the thread that
    started them, and Ray then ends this process."""
    if threading.current_thread() is threading.main_thread():
        start()
        return
    started: Future[None] = Future()

    def run() -> None:
        try:
            start()
        except BaseException as error:  # noqa: BLE001  # it is raised where the cluster was asked for
            started.set_exception(error)
        else:
            started.set_result(None)
            threading.Event().wait()

    threading.Thread(target=run, name="holotype-cluster", daemon=True).start()
    started.result()


def _start(ray: Any) -> None:
    """Start a cluster of this machine alone; it ends with this process, and leaves nothing on the disk."""
    folder = tempfile.mkdtemp(prefix="ray-", dir=None if len(tempfile.gettempdir()) <= _LONGEST else "/tmp")  # noqa: S108
    atexit.register(_end, ray, folder)
    _initialise(ray, address="local", num_cpus=cpus(), include_dashboard=False, _temp_dir=folder)


def _end(ray: Any, folder: str) -> None:
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def _connect(ray: Any, address: str) -> None:
    if address != "auto":
        _expect_an_answer(address)
    _initialise(ray, address=address)


def _initialise(ray: Any, **how: Any) -> None:
    try:
        ray.init(logging_level="ERROR", log_to_driver=False, runtime_env={"env_vars": _WORKERS}, **how)
    except (RuntimeError, ValueError, OSError, SystemExit) as error:
        why = " ".join(str(error).split())
        raise EngineError(f"the Ray cluster cannot be used: {why[:300]}") from error


def _expect_an_answer(address: str) -> None:
    """Ask whether a cluster is there before it is joined: Ray itself waits for two minutes, and then ends the process.

    Raises `EngineError`.
    """
    if address.startswith("ray://"):
        raise EngineError(f"{ADDRESS} is {address}, the address of Ray's client: name the cluster's own, as HOST:6379")
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise EngineError(f"{ADDRESS} is {address!r}, not HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise EngineError(f"nobody answers at {ADDRESS}={address}: {error}") from error
    ask = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address, "--skip-version-check"]
    try:
        healthy = subprocess.run(ask, capture_output=True, timeout=_PATIENCE, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        healthy = False
    if not healthy:
        raise EngineError(f"no Ray cluster answers at {ADDRESS}={address}")
