"""An object store on this machine that speaks S3's protocol, for tests of what lies in buckets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import count

import pytest


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of the store."""
    pytest.importorskip("obstore", exc_type=ImportError)
    moto = pytest.importorskip("moto.server", exc_type=ImportError)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def store_numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def new_bucket(object_store: str, monkeypatch: pytest.MonkeyPatch, store_numbers: Iterator[int]) -> Callable[[], str]:
    """Makes empty buckets that this process, and commands that it runs, may write to: their URLs."""
    import boto3

    known = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "a-very-secret-key", "AWS_REGION": "us-east-1"}
    for name, value in {**known, "AWS_ENDPOINT_URL": object_store}.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=object_store)

    def make() -> str:
        name = f"bucket-{next(store_numbers)}"
        client.create_bucket(Bucket=name)
        return f"s3://{name}"

    return make


@pytest.fixture
def bucket_url(new_bucket: Callable[[], str]) -> str:
    """The URL of a place in an empty bucket."""
    return f"{new_bucket()}/birds"
