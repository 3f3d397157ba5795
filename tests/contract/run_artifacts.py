#!/usr/bin/env python3
"""Artifacts over HTTP: files, listings, archives, manifests, and what happens to them when peers misbehave.

Usage: run_artifacts.py FOLDER_OF_BINARIES
"""
import base64
import gzip
import hashlib
import http.client
import io
import json
import os
import random
import socket
import sqlite3
import sys
import tarfile
import threading
import time
import urllib.parse
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from daemon import Daemon, Failure, binary  # noqa: E402

PROXY = "/api/2.0/mlflow-artifacts/artifacts/"
LIST = "/api/2.0/mlflow-artifacts/artifacts"
V1 = "/api/trackerd/v1/"
MIB = 1 << 20
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def check(condition, what):
    if not condition:
        raise Failure(what)


def equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: {str(got)[:300]!r} instead of {str(wanted)[:300]!r}")


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def put(client, path, data, headers=None, expect=200):
    status, reply_headers, body = client.raw("PUT", PROXY + path, data, headers)
    equal(status, expect, f"PUT {path} {body[:200]}")
    return reply_headers, body


def get(client, path, headers=None, expect=200, method="GET"):
    status, reply_headers, body = client.raw(method, PROXY + path, headers=headers or {})
    equal(status, expect, f"{method} {path} {body[:200] if expect >= 400 else ''}")
    return reply_headers, body


def error_of(body):
    return json.loads(body)["message"]


def make_tar(files, mode="w", **options):
    """files: name → bytes, or a TarInfo that is added as it is."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, **options) as tar:
        for name, content in files.items():
            info = content
            if isinstance(content, bytes):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                info.mtime = 12345
            tar.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def tree_sha256(files):
    lines = b"".join(f"{sha256(files[name])}  ".encode() + name + b"\n"
                     for name in sorted(files))
    return sha256(lines)


def encoded(files):
    return {name.encode(): content for name, content in files.items()}


def put_archive(client, path, data, query="", expect=200, headers=None):
    status, _, body = client.raw("PUT", V1 + "archive/" + path + query, data, headers or {})
    equal(status, expect, f"PUT archive {path} {body[:300]}")
    return json.loads(body)


def get_archive(client, path, form, expect=200):
    status, headers, body = client.raw("GET", V1 + f"archive/{path}?format={form}")
    equal(status, expect, f"GET archive {path} {form}")
    return headers, body


def blob_counts(daemon):
    """(blobs, chunks) straight from the file."""
    with sqlite3.connect(f"file:{daemon.data}/artifacts.db?mode=ro", uri=True) as db:
        return (db.execute("SELECT count(*) FROM blobs").fetchone()[0],
                db.execute("SELECT count(*) FROM blob_chunks").fetchone()[0])


def unreferenced(daemon):
    with sqlite3.connect(f"file:{daemon.data}/artifacts.db?mode=ro", uri=True) as blobs, \
            sqlite3.connect(f"file:{daemon.data}/tracker.db?mode=ro", uri=True) as tracker:
        used = {pk for pk, in tracker.execute("SELECT DISTINCT blob_pk FROM artifact_files")}
        return sum(pk not in used for pk, in blobs.execute("SELECT blob_pk FROM blobs"))


def settled_counts(daemon):
    """blob_counts once what earlier tests left is swept."""
    wait_until(lambda: unreferenced(daemon) == 0, "unused blobs are swept")
    return blob_counts(daemon)


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, f"waited in vain until {what}")
        time.sleep(0.02)


# ---- files --------------------------------------------------------------------------------------

@test
def files_of_every_size_come_back(daemon, client):
    for size in (0, 1, 65536, MIB - 1, MIB, MIB + 1, 3 * MIB, 5 * MIB + 7):
        data = noise(size, size)
        headers, body = put(client, f"size/{size}", data)
        equal(body, b"{}", "reply of PUT")
        equal(headers["ETag"], f'"{sha256(data)}"', "ETag of PUT")
        headers, body = get(client, f"size/{size}")
        check(body == data, f"{size} bytes came back otherwise")
        equal(headers["ETag"], f'"{sha256(data)}"', "ETag of GET")
        headers, body = get(client, f"size/{size}", method="HEAD")
        equal((body, headers["Content-Length"]), (b"", str(size)), "HEAD")
    client.raw("DELETE", PROXY + "size")


@test
def chunked_uploads_without_a_length(daemon, client):
    for size in (0, 10, 2 * MIB + 5):
        data = noise(size, size)
        pieces = [data[i:i + 70000] for i in range(0, size, 70000)]
        client.connection.request("PUT", PROXY + "chunked/f", iter(pieces), {"Transfer-Encoding": "chunked"},
                                  encode_chunked=True)
        reply = client.connection.getresponse()
        equal((reply.status, reply.read()), (200, b"{}"), "chunked PUT")
        check(get(client, "chunked/f")[1] == data, "chunked bytes came back otherwise")


@test
def headers_keep_browsers_from_running_files(daemon, client):
    rows = {"a.txt": "text/plain; charset=utf-8", "a.html": "text/plain; charset=utf-8", "a.png": "image/png",
            "a.json": "application/json", "a.bin": "application/octet-stream", "MLmodel": "text/plain; charset=utf-8"}
    for name, kind in rows.items():
        put(client, "types/" + name, b"x")
        headers, _ = get(client, "types/" + name)
        equal(headers["Content-Type"], kind, name)
        equal(headers["X-Content-Type-Options"], "nosniff", name)
        equal(headers["Content-Disposition"], f'attachment; filename="{name}"', name)
        equal(headers["Accept-Ranges"], "bytes", name)
    put(client, "types/" + urllib.parse.quote("é ☃.txt"), b"x")
    headers, _ = get(client, "types/" + urllib.parse.quote("é ☃.txt"))
    check("filename*=UTF-8''%C3%A9%20%E2%98%83.txt" in headers["Content-Disposition"], "filename*")


@test
def ranges_and_conditions(daemon, client):
    data = noise(2 * MIB + 10, 5)
    etag = f'"{sha256(data)}"'
    put(client, "range/f", data)
    size = len(data)
    rows = [
        ({"Range": "bytes=0-0"}, 206, data[:1]),
        ({"Range": "bytes=5-9"}, 206, data[5:10]),
        ({"Range": f"bytes={MIB - 2}-{MIB + 1}"}, 206, data[MIB - 2:MIB + 2]),
        ({"Range": "bytes=100-"}, 206, data[100:]),
        ({"Range": "bytes=-7"}, 206, data[-7:]),
        ({"Range": f"bytes=-{size + 5}"}, 206, data),
        ({"Range": f"bytes=10-{size + 100}"}, 206, data[10:]),
        ({"Range": f"bytes={size - 1}-"}, 206, data[-1:]),
        ({"Range": f"bytes={size}-"}, 416, None),
        ({"Range": "bytes=-0"}, 416, None),
        ({"Range": "bytes=9-5"}, 200, data),
        ({"Range": "bytes=0-1,5-6"}, 200, data),
        ({"Range": "lines=0-1"}, 200, data),
        ({"Range": "bytes=x"}, 200, data),
        ({"Range": "bytes=5-9", "If-Range": etag}, 206, data[5:10]),
        ({"Range": "bytes=5-9", "If-Range": '"other"'}, 200, data),
        ({"If-None-Match": etag}, 304, b""),
        ({"If-None-Match": f'"x", W/{etag}'}, 304, b""),
        ({"If-None-Match": "*"}, 304, b""),
        ({"If-None-Match": '"x"'}, 200, data),
        ({"If-Match": etag}, 200, data),
        ({"If-Match": f'"x", {etag}', "Range": "bytes=0-0"}, 206, data[:1]),
        ({"If-Match": "*"}, 200, data),
        ({"If-Match": etag, "If-None-Match": etag}, 304, b""),
    ]
    for headers, status, wanted in rows:
        reply_headers, body = get(client, "range/f", headers, status)
        check(wanted is None or body == wanted, f"{headers}: {len(body)} bytes")
        equal(reply_headers["ETag"], etag, str(headers))
        if status == 206:
            check(reply_headers["Content-Range"].endswith(f"/{size}"), "Content-Range")
        if status == 416:
            equal(reply_headers["Content-Range"], f"bytes */{size}", "Content-Range of 416")
            equal(json.loads(body)["error_code"], "RANGE_NOT_SATISFIABLE", "416")
    put(client, "range/empty", b"")
    get(client, "range/empty", {"Range": "bytes=0-"}, 416)
    for other in ('"x"', f"W/{etag}", f'{etag[:-2]}"', ""):
        for method in ("GET", "HEAD"):
            _, body = get(client, "range/f", {"If-Match": other, "If-None-Match": etag, "Range": "bytes=0-0"}, 412, method)
            check(method == "HEAD" or json.loads(body)["error_code"] == "PRECONDITION_FAILED", f"{body}")


@test
def conditions_of_a_put(daemon, client):
    """If-None-Match: * only makes, If-Match only replaces; of many at once one wins."""
    path = "conditions/f"
    put(client, path, b"1", {"If-Match": "*"}, 412)
    put(client, path, b"1", {"If-None-Match": "*"})
    put(client, path, b"2", {"If-None-Match": "*"}, 412)
    put(client, path, b"2", {"If-None-Match": f'"{sha256(b"1")}"'}, 412)
    put(client, path, b"2", {"If-Match": f'"{sha256(b"2")}"'}, 412)
    equal(get(client, path)[1], b"1", "after all that was refused")
    put(client, path, b"2", {"If-Match": f'"{sha256(b"1")}"', "If-None-Match": '"x"'})
    put(client, path, b"3", {"If-Match": "*"})
    equal(get(client, path)[1], b"3", "afterwards")
    statuses = []

    def race(i):
        other = daemon.connect()
        statuses.append(other.raw("PUT", PROXY + "conditions/race", b"%d" % i, {"If-None-Match": "*"})[0])
        other.close()

    threads = [threading.Thread(target=race, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(sorted(statuses), [200] + [412] * 7, "statuses of the race")


@test
def digests_are_verified_before_anything_is_stored(daemon, client):
    data = noise(MIB + 5, 6)
    good = base64.b64encode(hashlib.sha256(data).digest()).decode()
    bad = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    other = sha256(b"other")
    for headers, status, body in [
            ({"X-Content-Sha256": other}, 400, data), ({"Content-Digest": f"sha-256=:{bad}:"}, 400, data),
            # Refused at the head: a large body would meet a closed connection.
            ({"X-Content-Sha256": "zz"}, 400, b"small"), ({"Content-Digest": "sha-256=:zz:"}, 400, b"small"),
            ({"Content-Digest": "sha-512=:AAAA:"}, 200, data), ({"X-Content-Sha256": sha256(data)}, 200, data),
            ({"Content-Digest": f"sha-256=:{good}:"}, 200, data)]:
        client.raw("DELETE", PROXY + "digest")
        put(client, "digest/f", body, headers, status)
        get(client, "digest/f", expect=200 if status == 200 else 404)
    tar = make_tar({"f": b"1"})
    put_archive(client, "digest/a", tar, headers={"X-Content-Sha256": sha256(tar)})


@test
def hostile_paths_are_invalid(daemon, client):
    for path in ("..", "a/../b", "%2e%2e/a", "%252e%252e/a", "/etc/passwd", "%2Fetc", "a%5Cb", "a%23b", "a%00b",
                 "C:/x", "%ff", "a/..", "x" * 1025, ""):
        for method in ("PUT", "GET", "DELETE", "HEAD"):
            status, _, body = client.raw(method, PROXY + path, b"x" if method == "PUT" else None)
            if method == "HEAD":
                equal(status, 400, f"HEAD {path[:40]}")
            else:
                equal((status, error_of(body)), (400, "Invalid path"), f"{method} {path[:40]}")
        if not path:
            continue
        status, _, body = client.raw("PUT", V1 + "archive/" + path, b"x")
        equal((status, error_of(body)), (400, "Invalid path"), f"archive {path[:40]}")
        for target in (f"{LIST}?path={path}", V1 + "manifest/" + path):
            status, _, body = client.raw("GET", target)
            equal(status, 400, target[:80])
            if path not in ("a%00b", "%ff"):  # these are no text: refused before they are a path
                equal(error_of(body), "Invalid path", target[:80])
    put(client, "p/" + "x" * 1022, b"at the limit")
    put(client, "p/100%25", b"percent")
    equal(get(client, "p/100%2525")[1], b"percent", "decoded until stable")
    put(client, "p/c/a%0Ab", b"control")
    equal(get(client, "p/c/a%250ab")[1], b"control", "a control character is its escape")
    equal(client.call("GET", LIST + "?path=p/c")["files"], [{"path": "a%0ab", "is_dir": False, "file_size": 7}], "list")


@test
def a_path_is_a_file_or_a_directory(daemon, client):
    put(client, "kind/d/f", b"1")
    _, body = put(client, "kind/d", b"2", expect=409)
    equal(json.loads(body)["error_code"], "RESOURCE_CONFLICT", "file over directory")
    put(client, "kind/d/f/g", b"2", expect=409)
    _, body = get(client, "kind/d", expect=400)
    check("is a directory" in error_of(body), "GET of a directory")
    _, body = get(client, "kind/none", expect=404)
    equal(error_of(body), "No such artifact: 'kind/none'", "GET of nothing")
    put(client, "kind/d/f", b"new")
    equal(get(client, "kind/d/f")[1], b"new", "overwritten")


@test
def listings(daemon, client):
    for path in ("l/b.txt", "l/a/x", "l/a.txt", "l/c/d/e"):
        put(client, path, b"12345")
    files = client.call("GET", LIST + "?path=l")["files"]
    equal(files, [{"path": "a", "is_dir": True}, {"path": "a.txt", "is_dir": False, "file_size": 5},
                  {"path": "b.txt", "is_dir": False, "file_size": 5}, {"path": "c", "is_dir": True}], "list")
    equal(client.call("GET", LIST + "?path=l/a.txt"), {}, "list of a file")
    equal(client.call("GET", LIST + "?path=nowhere"), {}, "list of nothing")
    equal(client.call("GET", LIST + "?path=l/c/")["files"], [{"path": "d", "is_dir": True}], "trailing slash")
    for _ in range(2):
        equal(client.call("DELETE", PROXY + "l/c"), {}, "DELETE of a tree")
    equal(client.call("DELETE", PROXY + "l/a.txt"), {}, "DELETE of a file")
    equal([f["path"] for f in client.call("GET", LIST + "?path=l")["files"]], ["a", "b.txt"], "after DELETE")


@test
def artifacts_of_runs(daemon, client):
    experiment = client.call("POST", "experiments/create", {"name": "artifacts"})["experiment_id"]
    info = client.call("POST", "runs/create", {"experiment_id": experiment})["run"]["info"]
    run_id, root = info["run_id"], info["artifact_uri"]
    check(root.startswith("mlflow-artifacts:/"), root)
    base = root[len("mlflow-artifacts:/"):]
    put(client, base + "/model/MLmodel", b"flavors: {}")
    put(client, base + "/top.txt", b"top")
    reply = client.call("GET", f"artifacts/list?run_id={run_id}")
    equal(reply, {"root_uri": root, "files": [{"path": "model", "is_dir": True},
                                              {"path": "top.txt", "is_dir": False, "file_size": 3}]}, "list")
    reply = client.call("GET", f"artifacts/list?run_uuid={run_id}&path=model")
    equal(reply["files"], [{"path": "model/MLmodel", "is_dir": False, "file_size": 11}], "list of a directory")
    equal(client.call("GET", f"artifacts/list?run_id={run_id}&path=none"), {"root_uri": root}, "list of nothing")
    equal(client.call("GET", f"artifacts/list?run_id={run_id}&path=top.txt"), {"root_uri": root}, "list of a file")
    equal(client.call("GET", f"artifacts/list?run_id={run_id}&path=../x", expect=400)["message"], "Invalid path", "..")
    client.call("GET", "artifacts/list", expect=400)
    client.call("GET", "artifacts/list?run_id=0123", expect=404)
    for key in ("run_id", "run_uuid"):
        status, headers, body = client.raw("GET", f"/get-artifact?{key}={run_id}&path=model/MLmodel")
        equal((status, body), (200, b"flavors: {}"), "get-artifact")
        equal(headers["Content-Disposition"], 'attachment; filename="MLmodel"', "get-artifact")
    for query, status in (("path=x", 400), (f"run_id={run_id}", 400), (f"run_id={run_id}&path=none", 404),
                          (f"run_id={run_id}&path=..", 400), ("run_id=0123&path=x", 404)):
        equal(client.raw("GET", "/get-artifact?" + query)[0], status, query)
    foreign = client.call("POST", "experiments/create", {"name": "foreign", "artifact_location": "s3://bucket/x"})
    info = client.call("POST", "runs/create", {"experiment_id": foreign["experiment_id"]})["run"]["info"]
    check("s3://bucket" in client.call("GET", f"artifacts/list?run_id={info['run_id']}", expect=400)["message"], "s3")
    client.call("GET", f"/get-artifact?run_id={info['run_id']}&path=x", expect=400)


@test
def files_of_model_versions(daemon, client):
    """/model-versions/get-artifact reads below a version's source; slashes before it do no harm."""
    run = client.call("POST", "runs/create", {})["run"]["info"]
    root = run["artifact_uri"].split(":/", 1)[1]
    put(client, f"{root}/model/MLmodel", b"flavors: {}")
    client.call("POST", "registered-models/create", {"name": "m"})
    source = {"name": "m", "source": f"{run['artifact_uri']}/model", "run_id": run["run_id"]}
    client.call("POST", "model-versions/create", source)
    for start in ("", "/", "//"):
        status, headers, body = client.raw("GET", f"{start}/model-versions/get-artifact?name=m&version=1&path=MLmodel")
        equal((status, body), (200, b"flavors: {}"), f"with {start}")
        check("attachment" in headers["Content-Disposition"], "it is an attachment")
    for query, status, message in (
            ("name=m&version=1&path=none", 404, "No such artifact"), ("name=m&version=2&path=x", 404, "Model Version"),
            ("name=m&version=1&path=../x", 400, "Invalid path"), ("name=m&version=x&path=x", 400, "Parameter 'version'"),
            ("version=1&path=x", 400, "Missing value for required parameter 'name'"),
            ("name=m&path=x", 400, "Missing value for required parameter 'version'"),
            ("name=m&version=1", 400, "Missing value for required parameter 'path'")):
        reply = client.call("GET", "/model-versions/get-artifact?" + query, expect=status)
        check(reply["message"].startswith(message), f"{query}: {reply}")


@test
def small_files_from_the_page(daemon, client):
    """upload-artifact stores a file of at most 10 MB below a run."""
    run_id = client.call("POST", "runs/create", {})["run"]["info"]["run_id"]
    path = "/ajax-api/2.0/mlflow/upload-artifact"

    def upload(query, data):
        status, _, body = client.raw("POST", path + query, data)
        return status, json.loads(body)

    largest = noise(10 * MIB)
    equal(upload(f"?run_uuid={run_id}&path=a/b.txt", b"hello"), (200, {}), "a file")
    equal(upload(f"?run_uuid={run_id}&path=large", largest)[0], 200, "the largest")
    equal(client.raw("GET", f"/get-artifact?run_uuid={run_id}&path=a/b.txt")[2], b"hello", "the file")
    rows = (("", b"x", "Request must specify run_uuid."), (f"?run_uuid={run_id}", b"x", "Request must specify path."),
            (f"?run_uuid={run_id}&path=../x", b"x", "Invalid path"),
            (f"?run_uuid={run_id}&path=x", b"", "Request must specify data."),
            (f"?run_uuid={run_id}&path=x", largest + b"x", "Artifact size is too large. Max size is 10MB."))
    for query, data, message in rows:
        status, reply = upload(query, data)
        equal((status, reply["message"]), (400, message), query)
    equal(upload(f"?run_uuid={'0' * 32}&path=x", b"x")[0], 404, "an unknown run")
    status, reply = upload(f"?run_uuid={run_id}&path=x", iter([b""]))
    equal((status, reply["message"]), (400, "Request must specify data."), "no data, chunked")
    equal(upload(f"?run_uuid={run_id}&path=x", iter([largest, b"x"]))[0], 413,
          "too much, chunked")
    client.raw("GET", "/health")


# ---- archives -----------------------------------------------------------------------------------

TREE = {"MLmodel": b"flavors: {}\n", "data/model.bin": noise(2 * MIB + 3, 9), "data/empty": b"", "a.b/x": b"1",
        "a/x": b"2", "h\u00e9/\u2603 y": b"3", "long/" + "n" * 180 + ".txt": b"4"}


@test
def trees_go_up_and_come_down_in_every_format(daemon, client):
    plain = make_tar(TREE, format=tarfile.PAX_FORMAT)
    bodies = {"plain": plain, "gnu": make_tar(TREE, format=tarfile.GNU_FORMAT), "gz": gzip.compress(plain, 6)}
    downloads = {}
    for name, body in list(bodies.items()) + [("zst", None)]:
        if body is None:  # Python has no zstd: what the server made is what it must read
            _, body = get_archive(client, "trees/plain", "tar.zst")
        reply = put_archive(client, "trees/" + name, body)
        equal(reply["sha256"], sha256(body), "sha256 of the body")
        equal(reply["file_count"], len(TREE), "file_count")
        equal(reply["byte_count"], sum(map(len, TREE.values())), "byte_count")
        equal(reply["tree_sha256"], tree_sha256(encoded(TREE)), "tree_sha256")
        equal([f["path"] for f in reply["files"]],
              [n.decode() for n in sorted(encoded(TREE))], "files are sorted by bytes")
        for path, content in TREE.items():
            check(get(client, f"trees/{name}/" + urllib.parse.quote(path))[1] == content, f"{name}/{path}")
        manifest = client.call("GET", V1 + "manifest/trees/" + name)
        for entry in manifest["files"]:
            check(entry.pop("modified_ms") > 0, "modified_ms")
        reply.pop("sha256")
        equal(manifest, reply, "manifest")
        for form in ("tar", "tar.gz", "tar.zst", "zip"):
            headers, body = get_archive(client, "trees/" + name, form)
            check(downloads.setdefault(form, body) == body, f"{form} of {name} differs from that of the first")
            equal(headers["ETag"], f'"{tree_sha256(encoded(TREE))}-{form}"', "ETag")
            equal(headers["Content-Disposition"], f'attachment; filename="{name}.{form}"', "Content-Disposition")
    for form in ("tar", "tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(downloads[form])) as tar:
            members = tar.getmembers()
            got = {m.name: tar.extractfile(m).read() for m in members if m.isfile()}
            check(all((m.mtime, m.uid, m.gid, m.uname, m.gname) == (0, 0, 0, "", "") for m in members), "reproducible")
            check(all(m.mode == (0o644 if m.isfile() else 0o755) for m in members), "modes")
        equal(got, TREE, form)
    with zipfile.ZipFile(io.BytesIO(downloads["zip"])) as archive:
        equal({i.filename: archive.read(i) for i in archive.infolist() if not i.is_dir()}, TREE, "zip")
        check(all(i.date_time == (1980, 1, 1, 0, 0, 0) for i in archive.infolist()), "times of the zip")


@test
def archives_answer_conditions_and_unknown_paths(daemon, client):
    put(client, "cond/f.txt", b"1")
    headers, _ = get_archive(client, "cond", "tar")
    status, _, body = client.raw("GET", V1 + "archive/cond", headers={"If-None-Match": headers["ETag"]})
    equal((status, body), (304, b""), "If-None-Match")
    status, headers, body = client.raw("HEAD", V1 + "archive/cond?format=zip")
    equal((status, body, headers["Content-Type"]), (200, b"", "application/zip"), "HEAD")
    get_archive(client, "nowhere", "tar", 404)
    get_archive(client, "cond", "rar", 400)
    client.call("GET", V1 + "manifest/nowhere", expect=404)
    _, body = get_archive(client, "cond/f.txt", "tar")
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        equal(tar.getnames(), ["f.txt"], "archive of a file")


@test
def replace_and_merge(daemon, client):
    put_archive(client, "merge", make_tar({"a": b"1", "b/c": b"2"}))
    put_archive(client, "merge", make_tar({"a": b"new", "d": b"3"}))
    files = {f["path"]: f["file_size"] for f in client.call("GET", V1 + "manifest/merge")["files"]}
    equal(files, {"a": 3, "b/c": 1, "d": 1}, "merged")
    put_archive(client, "merge", make_tar({"e": b"4"}), "?replace=true")
    equal([f["path"] for f in client.call("GET", V1 + "manifest/merge")["files"]], ["e"], "replaced")
    put_archive(client, "merge", make_tar({"b": b"4"}), "?replace=maybe", expect=400)
    put_archive(client, "merge/e", make_tar({"x": b"4"}), expect=409)
    equal(put_archive(client, "merge", make_tar({}), "?replace=true")["file_count"], 0, "empty archive")
    client.call("GET", V1 + "manifest/merge", expect=404)


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return {"ok.txt": b"ok", name: info}


@test
def hostile_archives_change_nothing(daemon, client):
    good = make_tar({"f": noise(3000)})
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb", compresslevel=9) as out:
        info = tarfile.TarInfo("zeros")
        info.size = 2 << 30
        out.write(info.tobuf())
        for _ in range(80):
            out.write(bytes(MIB))
    rows = [
        ("absolute", make_tar({"/etc/passwd": b"x"}), 400, "absolute"),
        ("parent", make_tar({"../x": b"x"}), 400, "'../x' contains '..'"),
        ("symlink", make_tar(special("l", tarfile.SYMTYPE, "/etc")), 400, "'l' is a symbolic link"),
        ("hardlink", make_tar(special("l", tarfile.LNKTYPE, "ok.txt")), 400, "'l' is a hard link"),
        ("device", make_tar(special("l", tarfile.CHRTYPE)), 400, "'l' is a device"),
        ("fifo", make_tar(special("l", tarfile.FIFOTYPE)), 400, "'l' is a device"),
        ("both", make_tar({"a": b"1", "a/b": b"2"}), 409, "is a file"),
        ("cut", good[:1000], 400, "cannot be read"),
        ("cut at member", good[:512 + 3072], 400, "cut off"),
        ("cut gzip", gzip.compress(good)[:-700], 400, "cannot be read"),
        ("noise", noise(5000), 400, "cannot be read"),
        ("nothing", b"", 400, "cannot be read"),
        ("bomb", bomb.getvalue(), 400, "more than 1000 times"),
        ("damaged", good[:100] + b"9" + good[101:], 400, "cannot be read"),
    ]
    put(client, "hostile/kept", b"kept")
    for name, body, status, says in rows:
        reply = put_archive(client, "hostile", body, "?replace=true", expect=status)
        check(says in reply["message"], f"{name}: {reply['message']}")
        equal([f["path"] for f in client.call("GET", V1 + "manifest/hostile")["files"]], ["kept"], name)


# ---- what is left behind ------------------------------------------------------------------------

@test
def equal_bytes_are_stored_once_and_swept_with_their_last_file(daemon, client):
    client.raw("DELETE", PROXY + "dup")
    before = settled_counts(daemon)
    data = noise(3 * MIB + 1, 77)
    for i in range(4):
        put(client, f"dup/{i}", data)
    wait_until(lambda: blob_counts(daemon) == (before[0] + 1, before[1] + 4), "one blob is left of four")
    for i in range(3):
        client.raw("DELETE", PROXY + f"dup/{i}")
    check(get(client, "dup/3")[1] == data, "the last one lost its bytes")
    put(client, "dup/3", b"other bytes now")
    wait_until(lambda: blob_counts(daemon) == (before[0] + 1, before[1] + 1), "the blob is swept")
    client.raw("DELETE", PROXY + "dup")
    wait_until(lambda: blob_counts(daemon) == before, "all is swept")


@test
def an_abandoned_upload_leaves_nothing(daemon, client):
    for path, body in (("/api/2.0/mlflow-artifacts/artifacts/gone", noise(3 * MIB, 8)),
                       (V1 + "archive/gone", make_tar({"a": noise(3 * MIB, 8)})[:3 * MIB])):
        before = settled_counts(daemon)
        peer = socket.create_connection(("127.0.0.1", daemon.port))
        peer.sendall(f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10 * MIB}\r\n\r\n".encode() + body)
        wait_until(lambda: blob_counts(daemon)[1] > before[1], "some chunks are stored")
        peer.close()
        wait_until(lambda: blob_counts(daemon) == before, "they are gone again")
        get(client, "gone", expect=404)


@test
def a_download_survives_the_deletion_of_its_file(daemon, client):
    data = noise(24 * MIB, 10)
    before = settled_counts(daemon)
    put(client, "slow/f", data)
    for path in (PROXY + "slow/f", V1 + "archive/slow"):
        put(client, "slow/f", data)
        peer = socket.create_connection(("127.0.0.1", daemon.port))
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        peer.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        reply = http.client.HTTPResponse(peer)
        reply.begin()
        first = reply.read(1000)
        equal(client.call("DELETE", PROXY + "slow"), {}, "DELETE")
        get(client, "slow/f", expect=404)
        body = first + reply.read()
        peer.close()
        check(data in body, f"{path}: the download was cut")
    wait_until(lambda: blob_counts(daemon) == before, "the blob is swept after the download")


@test
def many_uploads_at_once(daemon, client):
    datas = [noise(3 * MIB + i, i) for i in range(8)]
    failures = []

    def upload(number):
        try:
            mine = daemon.connect()
            for round_number in range(3):
                put(mine, f"many/{number}-{round_number}", datas[(number + round_number) % len(datas)])
            mine.close()
        except (Failure, OSError, http.client.HTTPException) as failure:
            failures.append(failure)

    threads = [threading.Thread(target=upload, args=(i,)) for i in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not failures, failures)
    for number in range(40):
        for round_number in range(3):
            check(get(client, f"many/{number}-{round_number}")[1] == datas[(number + round_number) % len(datas)],
                  "bytes of another upload")
    manifest = client.call("GET", V1 + "manifest/many")
    equal(manifest["file_count"], 120, "files")
    client.raw("DELETE", PROXY + "many")


@test
def everything_is_swept_in_the_end(daemon, client):
    for entry in client.call("GET", LIST)["files"]:
        client.raw("DELETE", PROXY + urllib.parse.quote(entry["path"]) + "?force=true")
    wait_until(lambda: blob_counts(daemon) == (0, 0), "no blob is left")
    equal(client.call("GET", LIST), {}, "no artifact is left")


def main():
    failed = 0
    with Daemon(binary(sys.argv)) as daemon:
        for function in TESTS:
            client = daemon.connect()
            try:
                function(daemon, client)
                print(f"ok      {function.__name__}", flush=True)
            except (Failure, OSError, http.client.HTTPException) as failure:
                failed += 1
                print(f"FAILED  {function.__name__}: {failure}", flush=True)
            client.close()
            if daemon.process.poll() is not None:
                print("".join(daemon.log_lines[-40:]))
                break
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
