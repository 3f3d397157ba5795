#!/usr/bin/env python3
"""Uploads in parts, and the URLs that the server hands out.

Usage: run_multipart.py FOLDER_OF_BINARIES
"""
import concurrent.futures
import hashlib
import json
import os
import random
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

MPU = "/api/2.0/mlflow-artifacts/mpu/"
PROXY = "/api/2.0/mlflow-artifacts/artifacts/"
UPLOADS = "/api/trackerd/v1/uploads/"
MIB = 1 << 20
PARTS_MAX = 10000
SWEEP_DEADLINE_S = 60


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def etag_of(data):
    return f'"{hashlib.sha256(data).hexdigest()}"'


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {str(got)[:300]!r} instead of {str(wanted)[:300]!r}")


def create(client, directory, name, parts, headers=None):
    body = json.dumps({"path": name, "num_parts": parts})
    status, _, reply = client.raw("POST", MPU + "create/" + directory, body, headers)
    equal(status, 200, f"create {reply[:300]}")
    return json.loads(reply)


def put_part(client, upload_id, number, data, expect=200):
    status, headers, reply = client.raw("PUT", f"{UPLOADS}{upload_id}/parts/{number}", data)
    equal(status, expect, f"PUT part {number} {reply[:200]}")
    return headers.get("ETag"), reply


def finish(client, directory, name, upload_id, etags, expect=200):
    parts = [{"part_number": i + 1, "etag": etag, "url": "u"} for i, etag in enumerate(etags)]
    return client.call("POST", MPU + "complete/" + directory,
                       {"path": name, "upload_id": upload_id, "parts": parts}, expect)


def upload(client, directory, name, chunks):
    """The whole way, one part after the other."""
    upload_id = create(client, directory, name, len(chunks))["upload_id"]
    etags = [put_part(client, upload_id, i + 1, chunk)[0] for i, chunk in enumerate(chunks)]
    finish(client, directory, name, upload_id, etags)
    return upload_id


def get(client, path, headers=None, expect=200):
    status, reply_headers, body = client.raw("GET", PROXY + path, headers=headers or {})
    equal(status, expect, f"GET {path}")
    return reply_headers, body


def blob_count(daemon, table="blobs"):
    with sqlite3.connect(f"file:{daemon.data}/artifacts.db?mode=ro", uri=True) as db:
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def wait_for_blobs(daemon, wanted):
    deadline = time.monotonic() + SWEEP_DEADLINE_S
    while blob_count(daemon) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    equal(blob_count(daemon), wanted, "blobs that are left")


@case
def parts_of_every_size_make_the_file(daemon, client):
    """Parts of every size make one file, whose ranges and digest are those of its bytes."""
    sizes = [1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7, 5]
    chunks = [noise(size, size) for size in sizes]
    whole = b"".join(chunks)
    upload(client, "sizes", "/home/somebody/f.bin", chunks)
    headers, body = get(client, "sizes/f.bin")
    check(body == whole, "the file has other bytes than its parts")
    equal(headers["ETag"], etag_of(whole), "the ETag")
    border = sizes[0] + sizes[1]
    for first, last in ((0, 0), (border - 1, border), (5, len(whole) - 1), (MIB * 2, MIB * 4), (len(whole) - 6, len(whole) - 1)):
        _, part = get(client, "sizes/f.bin", {"Range": f"bytes={first}-{last}"}, 206)
        check(part == whole[first:last + 1], f"bytes {first}-{last} are others")
    # An archive reads in small steps.
    status, _, tar = client.raw("GET", "/api/trackerd/v1/archive/sizes?format=tar")
    check(status == 200 and whole in tar, "the archive has other bytes")
    # The same bytes sent at once are the same blob.
    count = blob_count(daemon)
    equal(client.raw("PUT", PROXY + "sizes/copy", whole)[0], 200, "PUT of the same bytes")
    wait_for_blobs(daemon, count)


@case
def parts_come_in_parallel_and_in_any_order(daemon, client):
    """Parts come over several connections, in any order, and some of them twice."""
    chunks = [noise(2 * MIB + i, 100 + i) for i in range(8)]
    upload_id = create(client, "par", "f", len(chunks))["upload_id"]
    order = list(range(len(chunks))) * 2
    random.Random(5).shuffle(order)

    def send(i):
        other = daemon.connect()
        etag, _ = put_part(other, upload_id, i + 1, chunks[i])
        other.close()
        return etag

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(send, order))
    view = client.call("GET", UPLOADS + upload_id)
    equal(view["received_bytes"], sum(map(len, chunks)), "received bytes")
    equal([p["part_number"] for p in view["parts"]], list(range(1, 9)), "parts")
    finish(client, "par", "f", upload_id, [p["etag"] for p in view["parts"]])
    check(get(client, "par/f")[1] == b"".join(chunks), "the file has other bytes")


@case
def what_create_says(daemon, client):
    """Create gives each part a URL on the host that the client called, and the proxy's credentials."""
    reply = create(client, "dir/sub", "C:\\Users\\me\\model.pkl", 3)
    equal([c["part_number"] for c in reply["credentials"]], [1, 2, 3], "numbers")
    for credential in reply["credentials"]:
        url = f"{daemon.url}{UPLOADS}{reply['upload_id']}/parts/{credential['part_number']}"
        equal(credential["url"], url, "the URL")
        equal(credential["headers"], {}, "headers")
    view = client.call("GET", UPLOADS + reply["upload_id"])
    equal(view["path"], "dir/sub/model.pkl", "the path")
    check(view["num_parts"] == 3 and not view["is_complete"] and view["parts"] == [], f"{view}")
    check(view["expires_ms"] > view["created_ms"], "it expires after it was made")
    other = create(client, "dir/sub", "f", 1, {"Host": "localhost:1234", "X-Forwarded-Proto": "https",
                                               "Authorization": "Basic eDp5"})
    equal(other["credentials"][0]["url"].split("/api/")[0], "https://localhost:1234", "what a proxy says")
    equal(other["credentials"][0]["headers"], {"Authorization": "Basic eDp5"}, "headers")
    check(len({create(client, "", "f", 1)["upload_id"] for _ in range(20)}) == 20, "ids repeat")
    for part_count, expect in ((PARTS_MAX, 200), (PARTS_MAX + 1, 400), (0, 400), (-1, 400)):
        reply = client.call("POST", MPU + "create/a", {"path": "f", "num_parts": part_count}, expect)
        if expect == 200:
            equal(len(reply["credentials"]), part_count, "URLs")
    for body in ({"num_parts": 1}, {"path": "", "num_parts": 1}):
        check("'path'" in client.call("POST", MPU + "create/a", body, 400)["message"], "names what is missing")
    for directory, name in (("../a", "f"), ("a", ".."), ("a", "b/"), ("a", "x%23y")):
        equal(client.call("POST", MPU + "create/" + directory, {"path": name}, 400)["message"], "Invalid path", name)


@case
def complete_checks_numbers_and_etags(_, client):
    """Complete wants all parts in order with their ETags, and leaves the upload as it is otherwise."""
    chunks = [b"one", b"two", b"three"]
    tags = [etag_of(chunk) for chunk in chunks]
    upload_id = create(client, "etags", "f", 3)["upload_id"]
    for i in (0, 1):
        equal(put_part(client, upload_id, i + 1, chunks[i])[0], tags[i], "the ETag of a part")
    check("Part 3 of 3" in finish(client, "etags", "f", upload_id, tags, 400)["message"], "a part that is missing")
    put_part(client, upload_id, 3, b"tree")
    check("etag of part 3" in finish(client, "etags", "f", upload_id, tags, 400)["message"], "another ETag")
    put_part(client, upload_id, 3, chunks[2])
    rows = (tags[:2], tags + [tags[0]], [tags[1], tags[0], tags[2]], [tags[0], "", tags[2]], [tags[0], "x", tags[2]],
            [tags[0], None, tags[2]])
    for row in rows:
        equal(finish(client, "etags", "f", upload_id, row, 400)["error_code"], "INVALID_PARAMETER_VALUE", str(row))
    swapped = [{"part_number": n, "etag": tags[n - 1]} for n in (2, 1, 3)]
    client.call("POST", MPU + "complete/etags", {"path": "f", "upload_id": upload_id, "parts": swapped}, 400)
    client.call("POST", MPU + "complete/etags", {"path": "f", "upload_id": upload_id}, 400)
    check("another file" in finish(client, "etags", "g", upload_id, tags, 400)["message"], "another path")
    get(client, "etags/f", expect=404)
    finish(client, "etags", "f", upload_id, [tag.strip('"').upper() for tag in tags])
    equal(get(client, "etags/f")[1], b"onetwothree", "the file")
    finish(client, "etags", "f", upload_id, tags)  # again is no error
    view = client.call("GET", UPLOADS + upload_id)
    check(view["is_complete"] and view["parts"] == [], f"after it is complete: {view}")
    put_part(client, upload_id, 1, b"late", 409)


@case
def parts_that_are_refused(_, client):
    """A part needs a known upload, a number in range, and bytes."""
    upload_id = create(client, "refused", "f", 2)["upload_id"]
    for number in (0, 3, -1):
        reply = put_part(client, upload_id, number, b"x", 400)[1]
        check(b"1 to 2" in reply, f"{reply}")
    put_part(client, upload_id, "x", b"x", 400)
    check(b"empty" in put_part(client, upload_id, 1, b"", 400)[1], "an empty part")
    for other in ("0" * 32, upload_id[:-1], "%00", "x" * 300):
        status, _, _ = client.raw("PUT", f"{UPLOADS}{other}/parts/1", b"x")
        check(status in (400, 404), f"{other}: {status}")
    client.call("GET", UPLOADS + "0" * 32, expect=404)
    reply = finish(client, "refused", "f", "0" * 32, [etag_of(b"x")], 404)
    equal(reply["error_code"], "RESOURCE_DOES_NOT_EXIST", "an unknown upload")
    status, _, _ = client.raw("PUT", f"{UPLOADS}{upload_id}/parts/1", b"x", {"X-Content-Sha256": "0" * 64})
    equal(status, 400, "a part with another digest than it says")
    equal(client.call("GET", UPLOADS + upload_id)["parts"], [], "parts")


@case
def abort_frees_the_parts(daemon, _):
    """Abort forgets the upload and frees its bytes; a second time is no error."""
    with Daemon(daemon.binary) as other:
        client = other.connect()
        upload_id = create(client, "gone", "f", 2)["upload_id"]
        put_part(client, upload_id, 1, noise(3 * MIB, 77))
        put_part(client, upload_id, 2, noise(9, 78))
        equal(blob_count(other), 2, "blobs")
        for _ in range(2):
            equal(client.call("POST", MPU + "abort/gone", {"path": "f", "upload_id": upload_id}), {}, "abort")
        wait_for_blobs(other, 0)
        put_part(client, upload_id, 1, b"x", 404)
        client.call("POST", MPU + "abort/gone", {"path": "f"}, 400)


@case
def deleting_the_file_frees_its_parts(daemon, _):
    """A file of parts is deleted with all its parts, but a part that something else uses stays."""
    with Daemon(daemon.binary) as other:
        client = other.connect()
        chunks = [noise(MIB + 1, 200), noise(MIB + 2, 201), noise(MIB + 1, 200)]
        upload(client, "del", "f", chunks)
        wait_for_blobs(other, 3)  # two parts and the file
        equal(client.raw("PUT", PROXY + "del/part", chunks[1])[0], 200, "PUT of a part's bytes")
        upload(client, "del", "g", [b"".join(chunks), b"end"])  # a part may itself be a file of parts
        client.raw("DELETE", PROXY + "del/f")
        wait_for_blobs(other, 4)
        equal(blob_count(other, "blob_parts"), 4, "parts of what is left")
        check(get(client, "del/g")[1] == b"".join(chunks) + b"end", "the file of a file of parts")
        client.raw("DELETE", PROXY + "del/g")
        wait_for_blobs(other, 1)
        equal(blob_count(other, "blob_parts"), 0, "parts")
        check(get(client, "del/part")[1] == chunks[1], "the part that is used elsewhere")
        client.raw("DELETE", PROXY + "del/part")
        wait_for_blobs(other, 0)


@case
def the_file_replaces_what_was_there(_, client):
    """Complete replaces the file at once, and says a conflict when a directory is there."""
    equal(client.raw("PUT", PROXY + "repl/f", b"old")[0], 200, "PUT")
    upload_id = create(client, "repl", "f", 1)["upload_id"]
    etag, _ = put_part(client, upload_id, 1, b"new")
    equal(get(client, "repl/f")[1], b"old", "before it is complete")
    finish(client, "repl", "f", upload_id, [etag])
    equal(get(client, "repl/f")[1], b"new", "afterwards")
    upload_id = create(client, "", "repl", 1)["upload_id"]
    etag, _ = put_part(client, upload_id, 1, b"x")
    equal(finish(client, "", "repl", upload_id, [etag], 409)["error_code"], "RESOURCE_CONFLICT", "a directory")
    equal(get(client, "repl/f")[1], b"new", "afterwards")


@case
def peers_that_go_away(daemon, client):
    """A peer that goes away while its file is being made leaves an upload that can be completed."""
    chunks = [noise(24 * MIB, 300 + i) for i in range(2)]
    upload_id = create(client, "away", "f", len(chunks))["upload_id"]
    etags = [put_part(client, upload_id, i + 1, chunk)[0] for i, chunk in enumerate(chunks)]
    parts = [{"part_number": i + 1, "etag": etag} for i, etag in enumerate(etags)]
    body = json.dumps({"path": "f", "upload_id": upload_id, "parts": parts})
    for _ in range(5):
        other = daemon.connect()
        other.connection.request("POST", MPU + "complete/away", body)
        other.close()
    finish(client, "away", "f", upload_id, etags)
    check(get(client, "away/f")[1] == b"".join(chunks), "the file has other bytes")


@case
def many_at_one_upload(daemon, client):
    """Complete, abort and parts that come again, all at once: the file is whole or not there, and nothing is lost."""
    chunks = [noise(3 * MIB + i, 400 + i) for i in range(3)]
    whole = b"".join(chunks)
    for round_number in range(8):
        name = f"f{round_number}"
        upload_id = create(client, "many", name, len(chunks))["upload_id"]
        etags = [put_part(client, upload_id, i + 1, chunk)[0] for i, chunk in enumerate(chunks)]
        parts = [{"part_number": i + 1, "etag": etag} for i, etag in enumerate(etags)]
        body = {"path": name, "upload_id": upload_id, "parts": parts}
        asks = [("POST", MPU + "complete/many", json.dumps(body), {200, 404})] * 3
        asks.append(("PUT", f"{UPLOADS}{upload_id}/parts/2", chunks[1], {200, 404, 409}))
        if round_number % 2:
            asks.append(("POST", MPU + "abort/many", json.dumps(body), {200}))

        def ask(row):
            other = daemon.connect()
            status, _, reply = other.raw(*row[:3])
            other.close()
            check(status in row[3], f"{row[:2]}: {status} {reply[:200]}")
            return row[1], status

        with concurrent.futures.ThreadPoolExecutor(len(asks)) as pool:
            results = list(pool.map(ask, asks))
        is_there = any("complete" in path and status == 200 for path, status in results)
        check(is_there or round_number % 2, f"nobody completed: {results}")
        body = get(client, f"many/{name}", expect=200 if is_there else 404)[1]
        check(not is_there or body == whole, "the file has other bytes")


@case
def presigned_urls(daemon, client):
    """Presigned URLs are our own, and say the size of the file."""
    equal(client.raw("PUT", PROXY + "pre/a%20b%2Bc.txt", b"12345")[0], 200, "PUT")
    reply = client.call("GET", "/api/2.0/mlflow-artifacts/presigned/pre/a%20b%2Bc.txt")
    equal(reply, {"url": f"{daemon.url}{PROXY}pre/a%20b%2Bc.txt", "headers": {}, "file_size": 5}, "of a file")
    equal(client.raw("GET", reply["url"][len(daemon.url):])[2], b"12345", "the file there")
    equal(client.call("GET", "/api/2.0/mlflow-artifacts/presigned/pre/none", expect=404)["error_code"],
          "RESOURCE_DOES_NOT_EXIST", "no file")
    client.call("GET", "/api/2.0/mlflow-artifacts/presigned/pre", expect=400)
    equal(client.call("GET", "/api/2.0/mlflow-artifacts/presigned/pre/..", expect=400)["message"], "Invalid path", "..")
    run_id = client.call("POST", "runs/create", {})["run"]["info"]["run_id"]
    body = {"run_id": run_id, "path": "m/w.bin"}
    url = client.call("POST", "artifacts/presigned-upload-url", body)["presigned_url"]
    client.call("POST", "artifacts/presigned-download-url", body, 404)
    equal(client.raw("PUT", url[len(daemon.url):], b"weights")[0], 200, "PUT there")
    reply = client.call("POST", "artifacts/presigned-download-url", {**body, "expiration": 604800})
    equal(client.raw("GET", reply["presigned_url"][len(daemon.url):])[2], b"weights", "GET there")
    equal(reply["file_size"], 7, "size")
    model = client.call("POST", "logged-models", {"experiment_id": "0", "name": "m"})["model"]["info"]
    body_of_model = {"model_id": model["model_id"], "path": "MLmodel"}
    url = client.call("POST", "artifacts/presigned-upload-url", body_of_model)["presigned_url"]
    equal(client.raw("PUT", url[len(daemon.url):], b"x")[0], 200, "PUT of a model's file")
    root = model["artifact_uri"].split(":/", 1)[1]
    equal(get(client, f"{root}/MLmodel")[1], b"x", "the model's file")
    client.call("POST", "artifacts/presigned-upload-url", {"model_id": "m-nobody", "path": "x"}, 404)
    for change, message in (({"expiration": 0}, "expiration must be between"), ({"expiration": 604801}, "expiration"),
                            ({"path": "../x"}, "Invalid path"), ({"run_id": None}, "Exactly one"),
                            ({"model_id": "m-1"}, "Exactly one")):
        reply = client.call("POST", "artifacts/presigned-upload-url", {**body, **change}, 400)
        check(reply["message"].startswith(message), f"{change}: {reply}")


@case
def uploads_expire(daemon, _):
    """An upload that nobody touches is given up; one that still gets parts is not."""
    with Daemon(daemon.binary, options=["--upload-expiry-ms", "4000", "--public-url", "https://t.example/x/"]) as other:
        client = other.connect()
        left = create(client, "e", "left", 2)
        equal(left["credentials"][0]["url"], f"https://t.example/x{UPLOADS}{left['upload_id']}/parts/1", "public URL")
        # 404 on a day when storing the part takes longer than the upload lives.
        status, _, reply = client.raw("PUT", f"{UPLOADS}{left['upload_id']}/parts/1", noise(2 * MIB, 9))
        check(status in (200, 404), f"PUT part 1 {reply[:200]}")
        kept = create(client, "e", "kept", 1)["upload_id"]
        deadline = time.monotonic() + SWEEP_DEADLINE_S
        status = 200
        while (status == 200 or blob_count(other) > 1) and time.monotonic() < deadline:
            put_part(client, kept, 1, b"still here")
            status, _, _ = client.raw("GET", UPLOADS + left["upload_id"])
            time.sleep(0.1)
        equal(status, 404, "the upload that was left alone")
        finish(client, "e", "kept", kept, [etag_of(b"still here")])
        wait_for_blobs(other, 1)


def main():
    with Daemon(binary(sys.argv)) as daemon:
        client = daemon.connect()
        run_cases(daemon, client, only=sys.argv[2] if len(sys.argv) > 2 else "")


if __name__ == "__main__":
    main()
