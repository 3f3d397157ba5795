#!/usr/bin/env python3
"""Files of a model version in use get no other bytes, on whatever way they come, unless that is forced.

Usage: run_overwrites.py FOLDER_OF_BINARIES
"""
import hashlib
import io
import json
import os
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

PROXY = "/api/2.0/mlflow-artifacts/artifacts/"
MPU = "/api/2.0/mlflow-artifacts/mpu/"
V1 = "/api/trackerd/v1/"
OLD, NEW = b"what was promoted", b"other bytes"
SITES = iter(range(1, 1000))


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {str(got)[:300]!r} instead of {str(wanted)[:300]!r}")


class Site:
    """A run with files below model/, and a version of a model of that folder, which an alias points at."""

    def __init__(self, client, source="model", files=("model/MLmodel",)):
        self.client, self.name = client, f"m{next(SITES)}"
        self.run = client.call("POST", "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
        self.root = f"0/{self.run}/artifacts"
        for path in files:
            equal(put(self, path, OLD), 200, f"PUT {path}")
        client.call("POST", "registered-models/create", {"name": self.name})
        self.version(source)
        self.alias("champion", "1")

    def version(self, source):
        self.client.call("POST", "model-versions/create",
                         {"name": self.name, "source": f"mlflow-artifacts:/{self.root}/{source}".rstrip("/")})

    def alias(self, alias, version):
        self.client.call("POST", "registered-models/alias", {"name": self.name, "alias": alias, "version": version})

    def bytes_of(self, path):
        status, _, body = self.client.raw("GET", f"{PROXY}{self.root}/{path}")
        return body if status == 200 else None

    def forced(self):
        """What was taken by force, as the history tells: (version, actor, detail), oldest first."""
        return self.lost("guard.forced")

    def lost(self, kind):
        events = self.client.call("GET", f"{V1}models/{self.name}/history?order=asc")["events"]
        return [(e["version"], e["actor"], e["detail"]) for e in events if e["kind"] == kind]


def tar_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


# Ways to store one file: (site, path, data, force) → status; the last reply's sentence is left in site.message.

def send(site, method, target, data, force, headers=None):
    status, _, body = site.client.raw(method, target + ("&" if "?" in target else "?") * force + "force=true" * force,
                                      data, headers or {})
    site.message = json.loads(body).get("message", "")
    if status == 409:
        equal(json.loads(body)["error_code"], "RESOURCE_CONFLICT", "the code of a refusal")
    return status


def put(site, path, data, force=False, headers=None):
    return send(site, "PUT", f"{PROXY}{site.root}/{path}", data, force, headers)


def upload_artifact(site, path, data, force=False):
    return send(site, "POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={site.run}&path={path}", data, force)


def archive(site, path, data, force=False):
    return send(site, "PUT", f"{V1}archive/{site.root}/{os.path.dirname(path)}", tar_of({os.path.basename(path): data}),
                force)


def archive_replace(site, path, data, force=False):
    return send(site, "PUT", f"{V1}archive/{site.root}/{os.path.dirname(path)}?replace=true",
                tar_of({os.path.basename(path): data}), force)


def multipart(site, path, data, force=False, in_body=False):
    directory, name = f"{site.root}/{os.path.dirname(path)}", os.path.basename(path)
    upload = site.client.call("POST", MPU + "create/" + directory, {"path": name, "num_parts": 1})["upload_id"]
    equal(site.client.raw("PUT", f"{V1}uploads/{upload}/parts/1", data)[0], 200, "PUT of a part")
    body = {"path": name, "upload_id": upload, "parts": [{"part_number": 1, "etag": hashlib.sha256(data).hexdigest()}]}
    if in_body:
        body["force"] = True
    return send(site, "POST", MPU + "complete/" + directory, json.dumps(body), force)


def multipart_in_body(site, path, data, force=False):
    return multipart(site, path, data, in_body=force)


WAYS = (put, upload_artifact, archive, archive_replace, multipart, multipart_in_body)


@case
def other_bytes_are_refused_on_every_way(client):
    """Other bytes are refused on every way, with the version's name; the same bytes and a new file are not."""
    for way in WAYS:
        site = Site(client)
        what = way.__name__
        equal(way(site, "model/MLmodel", NEW), 409, what)
        equal(site.message, f"'{site.root}/model/MLmodel' cannot be replaced: version 1 of model '{site.name}' (champion) "
                            "needs it; force=true replaces it anyway.", what)
        equal(site.bytes_of("model/MLmodel"), OLD, f"after {what}")
        for _ in range(2):
            equal(way(site, "model/MLmodel", OLD), 200, f"{what} of the same bytes")
        if way is not archive_replace:
            equal(way(site, "model/new", NEW), 200, f"{what} of a file more")
            equal(way(site, "model/new", OLD), 409, f"{what} in place of the file more")
        equal(way(site, "plots/p", OLD), 200, f"{what} beside the version")
        equal(way(site, "plots/p", NEW), 200, f"{what} in place of a file beside the version")
        equal(site.forced(), [], f"nothing was forced by {what}")


@case
def force_replaces_and_is_remembered(client):
    """Forced on every way, the bytes are replaced, and the version's history says so."""
    for way in WAYS:
        site = Site(client)
        equal(way(site, "model/MLmodel", OLD, True), 200, f"forced {way.__name__} of the same bytes")
        equal(site.forced(), [], f"{way.__name__} of the same bytes took nothing")
        equal(way(site, "model/MLmodel", NEW, True), 200, f"forced {way.__name__}")
        equal(site.bytes_of("model/MLmodel"), NEW, f"after forced {way.__name__}")
        equal(site.forced(), [("1", "", {"replaced": f"'{site.root}/model/MLmodel'"})], way.__name__)
    site = Site(client)
    equal(put(site, "model/MLmodel", NEW, True, {"X-Trackerd-User": "ana"}), 200, "forced by somebody")
    equal([actor for _, actor, _ in site.forced()], ["ana"], "who forced it")


@case
def a_replaced_tree_keeps_what_versions_need(client):
    """An archive in place of a tree must hold a version's files with their bytes; what is beside them may go."""
    files = ("model/MLmodel", "model/data/w", "plots/p")
    site = Site(client, files=files)
    target = f"{V1}archive/{site.root}?replace=true"
    rows = (({"plots/p": OLD}, "model/MLmodel' (one of 2 files)"), ({"model/MLmodel": OLD}, "model/data/w'"),
            ({"model/MLmodel": NEW, "model/data/w": OLD}, "model/MLmodel'"))
    for content, words in rows:
        equal(send(site, "PUT", target, tar_of(content), False), 409, str(content))
        check(words in site.message, f"{content}: {site.message}")
        equal([site.bytes_of(path) for path in files], [OLD] * 3, "after a refusal")
    equal(send(site, "PUT", target, tar_of({"model/MLmodel": OLD, "model/data/w": OLD, "x": NEW}), False), 200, "without plots")
    equal([site.bytes_of(path) for path in files], [OLD, OLD, None], "without plots")
    equal(send(site, "PUT", target, tar_of({"x": NEW}), True), 200, "forced")
    equal(site.forced(), [("1", "", {"replaced": f"'{site.root}/model/MLmodel' (one of 2 files)"})], "what was forced")


@case
def only_versions_that_lose_something_are_named(client):
    """Of several versions in a tree those are named, and remember it, that lose a file; one that is deleted does not."""
    site = Site(client, "a", ("a/f", "a2/f", "b/f"))
    site.version("b")
    site.version("")
    site.alias("two", "2")
    site.alias("three", "3")
    target = f"{V1}archive/{site.root}"
    equal(send(site, "PUT", target, tar_of({"a/f": OLD, "a2/f": OLD, "b/f": NEW}), False), 409, "one file of b")
    check(site.message.endswith(f"'{site.root}/b/f' cannot be replaced: version 2 of model '{site.name}' (two) and version 3 "
                                f"of model '{site.name}' (three) need it; force=true replaces it anyway."), site.message)
    client.call("DELETE", "model-versions/delete", {"name": site.name, "version": "3"})
    equal(put(site, "a2/f", NEW), 200, "a file of the version that was deleted")
    equal(send(site, "PUT", target, tar_of({"a/f": NEW, "a2/f": NEW, "b/f": NEW}), True), 200, "forced")
    equal(site.forced(), [(number, "", {"replaced": f"'{site.root}/{letter}/f'"}) for number, letter in (("1", "a"), ("2", "b"))],
          "what was forced")


@case
def a_version_that_nothing_uses_may_be_replaced(client):
    """Who logs a model again and again, each time as a version, may; the history of each version says once what it lost."""
    for way in WAYS:
        site = Site(client)
        client.call("DELETE", f"registered-models/alias?name={site.name}&alias=champion")
        equal(way(site, "model/MLmodel", OLD), 200, f"{way.__name__} of the same bytes")
        equal(site.lost("guard.replaced"), [], f"{way.__name__} of the same bytes")
        if way is archive_replace:
            equal(way(site, "model/MLmodel", NEW), 409, "what is removed")
            continue
        for data in (NEW, OLD, NEW):
            equal(way(site, "model/MLmodel", data), 200, way.__name__)
        site.version("model")
        equal(site.lost("guard.replaced"), [("1", "", {"replaced": f"'{site.root}/model/MLmodel'"})], way.__name__)
        equal(way(site, "model/MLmodel", OLD), 200, f"{way.__name__} for both versions")
        equal([version for version, _, _ in site.lost("guard.replaced")], ["1", "2"], way.__name__)
        equal(site.forced(), [], way.__name__)


def used_by_stage(site, stage):
    site.client.call("POST", "model-versions/transition-stage", {"name": site.name, "version": "1", "stage": stage})


def used_by_deployment(site, _):
    site.client.call("PUT", f"{V1}deployments/{hashlib.md5(site.name.encode()).hexdigest()}",
                     {"model": site.name, "version": "1", "target": "t", "host": "h", "state": "active"})


@case
def stages_and_deployments_use_a_version(client):
    """A version is in use by its stage, unless that is Archived or None, and where it runs."""
    rows = ((used_by_stage, "Staging", 409), (used_by_stage, "Production", 409), (used_by_stage, "Archived", 200),
            (used_by_stage, "None", 200), (used_by_deployment, "", 409))
    for use, stage, status in rows:
        site = Site(client)
        client.call("DELETE", f"registered-models/alias?name={site.name}&alias=champion")
        use(site, stage)
        equal(put(site, "model/MLmodel", NEW), status, f"{use.__name__} {stage}")
        equal(len(site.lost("guard.replaced")), int(status == 200), f"events of {use.__name__} {stage}")


@case
def a_version_may_be_of_one_file(client):
    """A version whose source is a file keeps that file, and not one whose name begins alike."""
    site = Site(client, "model.bin", ("model.bin", "model.bin2"))
    equal(put(site, "model.bin", NEW), 409, "the file")
    equal(put(site, "model.bin2", NEW), 200, "another one")


@case
def a_refused_upload_in_parts_can_be_completed_by_force(client):
    """A refusal leaves an upload in parts as it was: the same parts are completed by force."""
    site = Site(client)
    directory = f"{site.root}/model"
    upload = client.call("POST", MPU + "create/" + directory, {"path": "MLmodel", "num_parts": 1})["upload_id"]
    equal(client.raw("PUT", f"{V1}uploads/{upload}/parts/1", NEW)[0], 200, "PUT of a part")
    body = {"path": "MLmodel", "upload_id": upload, "parts": [{"part_number": 1, "etag": hashlib.sha256(NEW).hexdigest()}]}
    for change, status in (({}, 409), ({"force": False}, 409), ({"force": True}, 200), ({}, 200)):
        equal(send(site, "POST", MPU + "complete/" + directory, json.dumps({**body, **change}), False), status, str(change))
    equal(site.bytes_of("model/MLmodel"), NEW, "in the end")


def main():
    with Daemon(binary(sys.argv)) as daemon:
        run_cases(daemon.connect(), only=sys.argv[2] if len(sys.argv) > 2 else "")


if __name__ == "__main__":
    main()
