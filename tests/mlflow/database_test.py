"""Databases and servers of MLflow itself: what its own releases wrote is what trk imports."""
import contextlib
import hashlib
import os
import signal
import subprocess
import sys

from daemon import Daemon
from folder_test import assert_same, fill, free_port, other, seen, trk, wait_until_healthy  # noqa: F401

STOP_S = 10


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stop(process):
    """A session of its own: the server and its workers. That of 2.22 does not always hear the first signal."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
            return


@contextlib.contextmanager
def mlflow_server(folder, database, *options):
    """The URL of MLflow's own server on a database."""
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{database}", "--host",
               "127.0.0.1", "--port", url.rpartition(":")[2], "--workers", "1", *options]
    with open(folder / "server.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd=folder)
    try:
        wait_until_healthy(process, url)
        yield url
    finally:
        stop(process)


def seen_in_sql(uri, folder):
    """A search of MLflow's SQL store gives versions without their aliases; the models have them."""
    found = seen(uri, folder)
    for model in found["models"].values():
        for version in model["versions"].values():
            del version["aliases"]
    return found


def test_a_database_of_the_client_imports(trk, other, tmp_path):  # noqa: F811
    database = tmp_path / "mlflow.db"
    uri = f"sqlite:///{database}"
    fill(uri)
    before = sha256(database)
    trk("import", "mlflow", str(database), "--url", other)
    assert sha256(database) == before
    assert_same(seen_in_sql(uri, tmp_path), seen_in_sql(other, tmp_path))
    again = trk("import", "mlflow", uri, "--url", other)
    assert "imported 0 experiments, 0 runs, 0 points" in again


def test_a_server_and_the_database_behind_it_import(trackerd, trk, other, tmp_path):  # noqa: F811
    database, root = tmp_path / "mlflow.db", tmp_path / "files"
    with mlflow_server(tmp_path, database, "--artifacts-destination", str(root)) as url:
        fill(url)
        left = seen_in_sql(url, tmp_path)
        trk("import", "mlflow", url, "--url", other)
    assert_same(left, seen_in_sql(other, tmp_path))
    with Daemon(trackerd) as second:
        trk("import", "mlflow", str(database), "--artifacts-root", str(root), "--url", second.url)
        assert_same(left, seen_in_sql(second.url, tmp_path))
