"""An object store on this machine that speaks S3's protocol, for tests of what lies in buckets."""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import pytest

import holotype
from holotype.ontology import Ontology
from holotype.project import Project

OTHER: Final = "HOLOTYPE_TEST_S3"
"""The environment variable that names another store: its address, the key's id and the secret key, with spaces between
them."""


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """Where a store answers, and what it is asked with."""

    address: str
    key: str
    secret: str

    def environment(self) -> dict[str, str]:
        """What commands need to know to reach it."""
        known = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}
        return {**known, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.address}


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """moto, or the store that the environment names."""
    pytest.importorskip("obstore", exc_type=ImportError)
    if OTHER in os.environ:
        yield ObjectStore(*os.environ[OTHER].split())
        return
    moto = pytest.importorskip("moto.server", exc_type=ImportError)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield ObjectStore(f"http://{host}:{port}", "tester", "a-very-secret-key")
    server.stop()


@pytest.fixture(scope="session")
def store_numbers() -> Iterator[str]:
    """Names of buckets that nobody had before."""
    run = secrets.token_hex(4)
    return (f"bucket-{run}-{number}" for number in count())


@pytest.fixture
def new_bucket(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch, store_numbers: Iterator[str]
) -> Callable[[], str]:
    """Makes empty buckets that this process, and commands that it runs, may write to: their URLs."""
    import boto3

    for name, value in object_store.environment().items():
        monkeypatch.setenv(name, value)
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=object_store.address,
        aws_access_key_id=object_store.key,
        aws_secret_access_key=object_store.secret,
    )

    def make() -> str:
        name = next(store_numbers)
        client.create_bucket(Bucket=name)
        return f"s3://{name}"

    return make


@pytest.fixture
def bucket_url(new_bucket: Callable[[], str]) -> str:
    """The URL of a place in an empty bucket."""
    return f"{new_bucket()}/birds"


@pytest.fixture
def in_bucket(
    tmp_path: Path,
    bucket_url: str,
    wordnet: Ontology,
    new_project: Callable[[Path], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Project]:
    """A project whose packs lie in an empty bucket, as `holotype.init` makes it, with a cache that is empty, too."""
    monkeypatch.setattr("holotype.store.cache.user_cache_path", lambda _: tmp_path / "cache")
    folder = new_project(tmp_path / "remote")
    (folder / "packs").rmdir()
    config = json.loads((folder / "holotype.json").read_text())
    (folder / "holotype.json").write_text(json.dumps({**config, "store": bucket_url}))
    with holotype.open(folder, wordnet) as db:
        db._parts.packs()  # claims the place
        yield db
