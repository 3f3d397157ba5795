"""Artifacts: every way of logging one, listing, downloading, and names and sizes that are not ordinary."""
import hashlib
import json
import os

import mlflow
import pytest
from mlflow.artifacts import download_artifacts, list_artifacts, load_dict, load_text
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository


def uri(run, path):
    return f"runs:/{run.info.run_id}/{path}"


def write(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def listing(client, run, path=None):
    return [(info.path, info.is_dir, info.file_size) for info in client.list_artifacts(run.info.run_id, path)]


def test_a_file_goes_up_and_comes_down(client, run):
    write("data.bin", bytes(range(256)))
    client.log_artifact(run.info.run_id, "data.bin")
    client.log_artifact(run.info.run_id, "data.bin", "below/here")
    assert listing(client, run) == [("below", True, None), ("data.bin", False, 256)]
    assert listing(client, run, "below/here") == [("below/here/data.bin", False, 256)]
    for path in ("data.bin", "below/here/data.bin"):
        with open(download_artifacts(uri(run, path)), "rb") as file:
            assert file.read() == bytes(range(256))


def test_a_folder_goes_up_and_comes_down(client, run):
    tree = {"a.txt": b"a", "sub/b.txt": b"bb", "sub/deeper/c": b"", "z": b"\x00"}
    for path, content in tree.items():
        write(f"folder/{path}", content)
    client.log_artifacts(run.info.run_id, "folder", "all")
    assert [info[0] for info in listing(client, run, "all")] == ["all/a.txt", "all/sub", "all/z"]
    target = download_artifacts(uri(run, "all"), dst_path="back")
    got = {}
    for folder, _, names in os.walk(target):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                got[os.path.relpath(os.path.join(folder, name), target)] = file.read()
    assert got == tree


def test_all_of_a_run_comes_down(client, run):
    client.log_text(run.info.run_id, "one", "1.txt")
    client.log_text(run.info.run_id, "two", "x/2.txt")
    target = client.download_artifacts(run.info.run_id, "", os.getcwd())
    assert sorted(os.listdir(target)) == ["1.txt", "x"]


def test_texts_and_dictionaries(client, run):
    client.log_text(run.info.run_id, "Zeile 1\nčára 2\n", "notes/t.txt")
    client.log_dict(run.info.run_id, {"a": [1, None, {"b": "ü"}]}, "d.json")
    client.log_dict(run.info.run_id, {"a": 1}, "d.yaml")
    assert load_text(uri(run, "notes/t.txt")) == "Zeile 1\nčára 2\n"
    assert load_dict(uri(run, "d.json")) == {"a": [1, None, {"b": "ü"}]}
    with open(download_artifacts(uri(run, "d.yaml")), encoding="utf-8") as file:
        assert file.read() == "a: 1\n"


def test_figures_and_images(client, run):
    import numpy as np
    from matplotlib import pyplot as plt
    from PIL import Image

    figure, axes = plt.subplots()
    axes.plot([0, 1], [2, 3])
    client.log_figure(run.info.run_id, figure, "plots/line.png")
    plt.close(figure)
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    client.log_image(run.info.run_id, pixels, "plots/pixels.png")
    with Image.open(download_artifacts(uri(run, "plots/pixels.png"))) as image:
        assert (np.asarray(image) == pixels).all()
    with open(download_artifacts(uri(run, "plots/line.png")), "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"


def test_images_of_the_steps_of_a_training(client, experiment):
    import numpy as np
    from PIL import Image

    with mlflow.start_run() as active:
        for step in range(2):
            mlflow.log_image(np.full((8, 8), step, dtype=np.uint8), key="sample", step=step, synchronous=True)
    paths = [info.path for info in client.list_artifacts(active.info.run_id, "images")]
    pictures = [path for path in paths if path.endswith(".png")]
    assert len(pictures) == 2
    for path in pictures:
        step = int(path.replace("%", "+").split("+step+")[1].split("+")[0])
        with Image.open(client.download_artifacts(active.info.run_id, path)) as image:
            assert (np.asarray(image) == step).all()
    assert client.get_run(active.info.run_id).data.tags["mlflow.loggedImages"].lower() == "true"


def test_tables_grow(client, experiment):
    with mlflow.start_run() as active:
        mlflow.log_table({"q": ["a"], "n": [1]}, "tables/t.json")
        mlflow.log_table({"q": ["b"], "n": [2]}, "tables/t.json")
    table = mlflow.load_table("tables/t.json", run_ids=[active.info.run_id])
    assert (list(table["q"]), list(table["n"])) == (["a", "b"], [1, 2])
    logged = json.loads(client.get_run(active.info.run_id).data.tags["mlflow.loggedArtifacts"])
    assert logged == [{"path": "tables/t.json", "type": "table"}]


@pytest.mark.parametrize("name", [
    "größe.txt", "数据/模型.bin", "with space.txt", "100% sure.txt", "plus+and&.txt", "😀.txt", "a'b\".txt",
    "semi;colon=,.txt", "-dash", ".hidden", "x" * 200,
])
def test_names_that_are_not_ordinary(client, run, name):
    content = name.encode()
    write(name, content)
    folder = os.path.dirname(name)
    client.log_artifact(run.info.run_id, name, folder or None)
    assert listing(client, run, folder or None) == [(name, False, len(content))]
    with open(client.download_artifacts(run.info.run_id, name), "rb") as file:
        assert file.read() == content


def test_an_empty_file(client, run):
    write("empty", b"")
    client.log_artifact(run.info.run_id, "empty")
    (path, is_dir, size), = listing(client, run)
    assert (path, is_dir, size or 0) == ("empty", False, 0)
    assert os.path.getsize(download_artifacts(uri(run, "empty"))) == 0


def test_a_big_file(client, run):
    size = 48 * 1024 * 1024 + 17
    block = os.urandom(1024 * 1024)
    with open("big", "wb") as file:
        while file.tell() < size:
            file.write(block[: size - file.tell()])
            block = block[1:] + block[:1]
    with open("big", "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    client.log_artifact(run.info.run_id, "big")
    os.remove("big")
    assert listing(client, run) == [("big", False, size)]
    with open(download_artifacts(uri(run, "big")), "rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == digest


@pytest.fixture
def in_parts(monkeypatch):
    """What the clients do with files beyond 500 MB when they are told to; here from 5 MB on."""
    for way in ("UPLOAD", "DOWNLOAD"):
        monkeypatch.setenv(f"MLFLOW_ENABLE_PROXY_MULTIPART_{way}", "true")
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{way}_MINIMUM_FILE_SIZE", str(5 << 20))
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{way}_CHUNK_SIZE", str(5 << 20))


def test_a_file_in_parts(client, run, in_parts, monkeypatch):
    completed = []
    complete = HttpArtifactRepository.complete_multipart_upload
    monkeypatch.setattr(HttpArtifactRepository, "complete_multipart_upload",
                        lambda self, *arguments: completed.append(arguments) or complete(self, *arguments))
    content = os.urandom((17 << 20) + 3)
    write("parts.bin", content)
    client.log_artifact(run.info.run_id, "parts.bin", "below")
    assert len(completed) == 1 and len(completed[0][2]) == 4, "the client gives up on parts without a word"
    assert listing(client, run, "below") == [("below/parts.bin", False, len(content))]
    with open(client.download_artifacts(run.info.run_id, "below/parts.bin"), "rb") as file:
        assert file.read() == content


def test_an_upload_in_parts_that_is_given_up_leaves_nothing(client, run, in_parts, monkeypatch):
    def fail(*arguments):
        raise ConnectionError("stopped before the end")

    monkeypatch.setattr(HttpArtifactRepository, "complete_multipart_upload", fail)
    write("parts.bin", bytes(6 << 20))
    with pytest.raises(ConnectionError, match="stopped"):
        client.log_artifact(run.info.run_id, "parts.bin")
    assert listing(client, run) == []


def test_the_last_upload_wins(client, run):
    client.log_text(run.info.run_id, "a longer first version", "f.txt")
    client.log_text(run.info.run_id, "second", "f.txt")
    assert load_text(uri(run, "f.txt")) == "second"
    assert listing(client, run) == [("f.txt", False, 6)]


def test_many_small_files(client, run):
    for index in range(120):
        write(f"many/{index % 7}/{index}.txt", str(index).encode())
    client.log_artifacts(run.info.run_id, "many")
    target = client.download_artifacts(run.info.run_id, "", os.path.abspath("."))
    for index in range(120):
        with open(os.path.join(target, str(index % 7), f"{index}.txt"), encoding="ascii") as file:
            assert file.read() == str(index)


def test_artifacts_by_their_uris(client, run):
    client.log_text(run.info.run_id, "x", "dir/f.txt")
    base = client.get_run(run.info.run_id).info.artifact_uri
    assert load_text(f"{base}/dir/f.txt") == "x"
    assert [os.path.basename(info.path) for info in list_artifacts(f"{base}/dir")] == ["f.txt"]
    assert [info.path for info in list_artifacts(run_id=run.info.run_id, artifact_path="dir")] == ["dir/f.txt"]


def test_what_is_not_there(client, run):
    assert listing(client, run) == []
    assert listing(client, run, "nowhere") == []
    with pytest.raises(Exception, match="404|No such artifact|ensure that the path is correct"):
        download_artifacts(uri(run, "nowhere.txt"), dst_path=".")


def test_a_listing_of_a_file_is_empty(client, run):
    client.log_text(run.info.run_id, "x", "dir/f.txt")
    assert listing(client, run, "dir/f.txt") == []


@pytest.mark.parametrize("path", ["../up", "/etc/passwd", "a/../../b"])
def test_paths_that_lead_out_are_refused(client, run, path):
    with pytest.raises(Exception, match="400.*Invalid path"):
        client.list_artifacts(run.info.run_id, path)


def test_deleting_artifacts(client, run):
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    client.log_text(run.info.run_id, "x", "dir/f.txt")
    client.log_text(run.info.run_id, "y", "keep.txt")
    get_artifact_repository(run.info.artifact_uri).delete_artifacts("dir")
    assert listing(client, run) == [("keep.txt", False, 1)]
