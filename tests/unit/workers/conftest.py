"""A bucket, where the packages that keep one are installed: `make test-s3`."""

import uuid
from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session")
def object_store():
    """The address of an S3-compatible server of this process's own, in memory."""
    if find_spec("moto") is None or find_spec("s3fs") is None:
        pytest.skip("runs by `make test-s3`")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(object_store, monkeypatch):
    """The URL of an empty bucket, which the environment's credentials open."""
    import boto3
    import fsspec

    for name, value in {
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": object_store,
    }.items():
        monkeypatch.setenv(name, value)
    name = f"b{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    yield f"s3://{name}"
    fsspec.get_filesystem_class("s3").clear_instance_cache()  # it keeps the settings of the first
