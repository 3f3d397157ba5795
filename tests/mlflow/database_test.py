"""Databases and servers of MLflow itself: what its own releases wrote is what trk imports."""
import hashlib

from daemon import Daemon
from folder_test import assert_same, fill, mlflow_server, other, seen, trk  # noqa: F401


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
    with mlflow_server(tmp_path, f"sqlite:///{database}", "--artifacts-destination", str(root)) as url:
        fill(url)
        left = seen_in_sql(url, tmp_path)
        trk("import", "mlflow", url, "--url", other)
    assert_same(left, seen_in_sql(other, tmp_path))
    with Daemon(trackerd) as second:
        trk("import", "mlflow", str(database), "--artifacts-root", str(root), "--url", second.url)
        assert_same(left, seen_in_sql(second.url, tmp_path))
