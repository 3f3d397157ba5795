#!/usr/bin/env python3
"""trk serve: requests are answered by one version, whole; what goes wrong with workers costs one request at most.

Usage: run_serve.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from cases import case, check, run_cases  # noqa: E402
from daemon import binary  # noqa: E402
from deploy_support import DeploySite  # noqa: E402
from serve_support import DEADLINE_S, Server, write_worker  # noqa: E402


def wait_for(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        check(time.monotonic() < deadline, f"{what} did not come")
        time.sleep(0.01)


class ServeSite(DeploySite):
    def __init__(self, program):
        super().__init__("trk-serve-", program)
        self.command = write_worker(self.home)

    def folder(self, number="1"):
        """A model that needs no registry."""
        path = self.fresh("folder")
        os.mkdir(path)
        with open(os.path.join(path, "number"), "w", encoding="utf-8") as file:
            file.write(number)
        return path

    def serve(self, *words, url=None):
        environment = {**self.trk.environment, **({"TRK_URL": url} if url else {})}
        return Server(self.program, [*words, "--cmd", self.command], self.home, environment)

    def serve_folder(self, *words):
        return self.serve("--model-dir", self.folder(), "--workers", "1", *words).ready()

    def number(self, model, number, **extra):
        """Registers a version, which the alias champion then names."""
        return self.version({"number": f"{number}\n".encode(), **extra}, model=model)

    def move(self, model, version):
        self.trk.run("models", "alias", model, "champion", str(version))


@case
def mlflows_shapes_reach_the_worker_as_records_or_inputs(site):
    rows = [  # body, what the worker gets
        ({"dataframe_split": {"columns": ["a", 7], "index": [0], "data": [[1, "x"], [2.50, None]]}},
         {"records": [{"a": 1, "7": "x"}, {"a": 2.5, "7": None}]}),
        ({"dataframe_records": [{"a": 1}, {"a": 2}]}, {"records": [{"a": 1}, {"a": 2}]}),
        ({"dataframe_records": []}, {"records": []}),
        ({"instances": [{"a": 1}]}, {"records": [{"a": 1}]}),
        ({"instances": [[1, 2], [3, 4]]}, {"inputs": [[1, 2], [3, 4]]}),
        ({"inputs": [1, "ü", None]}, {"inputs": [1, "ü", None]}),
        ({"inputs": {"a": [1, 2], "b": [[3], [4]]}}, {"records": [{"a": 1, "b": [3]}, {"a": 2, "b": [4]}]}),
        ({"inputs": {"a": [1], "b": 2}, "params": {"k": [1]}}, {"inputs": {"a": [1], "b": 2}, "params": {"k": [1]}}),
        ('{\n"inputs":\r\n [1,\n\t2]}', {"inputs": [1, 2]}),
        ({"inputs": [float("nan"), float("-inf")]}, {"inputs": [None, float("-inf")]}),
    ]
    with site.serve_folder() as server:
        connection = server.connect()
        for body, wanted in rows:
            number, _, asked = server.ask(body, connection=connection)["predictions"]
            asked.pop("id")
            check(number == "1" and asked == wanted, (body, asked))


@case
def csv_reaches_the_worker_as_records(site):
    body = 'a,b,c\r\n007,"x, ""y""",TRUE\r\n-.5,,\r\n'
    wanted = {"records": [{"a": 7, "b": 'x, "y"', "c": True}, {"a": -0.5, "b": None, "c": None}]}
    with site.serve_folder() as server:
        for kind in ("text/csv", "Text/CSV; charset=utf-8"):
            status, _, reply = server.raw("POST", "/invocations", body.encode(), {"Content-Type": kind})
            asked = json.loads(reply)["predictions"][2]
            asked.pop("id")
            check(status == 200 and asked == wanted, asked)
        status, _, reply = server.raw("POST", "/invocations", b"a,b\n1\n", {"Content-Type": "text/csv"})
        check(status == 400 and b"1 fields; there are 2 columns" in reply, reply)


@case
def answers_are_json_for_everybody(site):
    with site.serve_folder() as server:
        body = json.dumps({"inputs": {"do": "nonfinite"}})
        status, _, reply = server.raw("POST", "/invocations", body, {"Content-Type": "application/json"})
        check((status, reply) == (200, b'{"predictions":[null, 1e999, -1e999, "NaN"]}'), reply)


@case
def only_names_that_are_known_lead_to_it(site):
    def status_of(server, host):
        return server.raw("GET", "/ping", None, {"Host": host})[0]
    with site.serve_folder() as server:
        found = [status_of(server, host) for host in ("evil.example", "localhost:80", "127.0.0.1", "[::1]:1")]
        check(found == [403, 200, 200, 200], found)
        reply = server.raw("POST", "/invocations", "{}", {"Host": "evil.example"})
        check(reply[0] == 403 and b"--allowed-hosts" in reply[2], reply)
    with site.serve_folder("--allowed-hosts", "models.example,b.example") as server:
        found = [status_of(server, host) for host in ("models.example:8080", "B.example", "evil.example")]
        check(found == [200, 200, 403], found)


@case
def what_is_no_request_is_refused_with_a_sentence(site):
    rows = [  # method, path, content type, body, status, what is said
        ("POST", "/invocations", "application/json", "{", 400, "not JSON"),
        ("POST", "/invocations", "application/json", "[1]", 400, "must be a JSON object"),
        ("POST", "/invocations", "application/json", "{}", 400, "it has 0 of them"),
        ("POST", "/invocations", "application/json", '{"inputs":1,"instances":[1]}', 400, "it has 2 of them"),
        ("POST", "/invocations", "application/json; charset=utf-8", '{"instances":1}', 400, "must be a list"),
        ("POST", "/invocations", "text/plain", '{"inputs":1}', 415, "application/json"),
        ("POST", "/invocations", None, '{"inputs":1}', 415, "application/json"),
        ("POST", "/invocations", "application/json", '{"inputs":"' + "x" * 1000 + '"}', 413, "too large"),
        ("GET", "/invocations", None, None, 405, "POST"),
        ("POST", "/ping", None, None, 405, "GET"),
        ("GET", "/", None, None, 404, "/invocations"),
    ]
    with site.serve_folder("--max-body", "1000") as server:
        for method, path, kind, body, status, said in rows:
            found, headers, reply = server.raw(method, path, body, {"Content-Type": kind} if kind else {})
            reply = json.loads(reply)
            check(found == status and said in reply["message"] and reply["error_code"], (path, body, found, reply))
            check(status != 405 or headers["Allow"], "405 names what is allowed")
        check(server.ask('{"inputs":"' + "x" * 987 + '"}'), "a body of exactly 1000 bytes")
        found = server.ask({"inputs": {"do": "refuse"}}, expect=400)
        check(found == {"error_code": "BAD_REQUEST", "message": 'no "such" zone'}, found)


def check_exposition(text):
    """Each line is a sample of a family that HELP and TYPE announced, or announces one."""
    types, samples = {}, set()
    for line in text.splitlines():
        announced = re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) (.+)", line)
        if announced:
            what, name, rest = announced.groups()
            check((what == "HELP") == (name not in types), line)
            types[name] = rest if what == "TYPE" else None
            family = name
            continue
        name, labels, _ = re.fullmatch(r'([a-z_]+)((?:{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*})?) ([0-9.]+)', line).groups()
        kinds = ("_bucket", "_sum", "_count") if types[family] == "histogram" else ("",)
        check(name in [family + kind for kind in kinds] and (name, labels) not in samples, line)
        check((types[family] == "counter") == name.endswith("_total"), line)
        samples.add((name, labels))
    counts = [int(n) for n in re.findall(r"_seconds_bucket{.*} (\d+)", text)]
    check(counts == sorted(counts) and f"_seconds_count {counts[-1]}\n" in text and text.endswith("\n"), counts)


@case
def ping_version_and_metrics_tell_how_it_is(site):
    site.number("told", 41)
    site.number("told", 42)
    with site.serve("told@champion", "--workers", "2") as server:
        server.ready()
        check(server.raw("GET", "/ping")[0] == 200 and server.raw("HEAD", "/health")[0] == 200, "ping")
        version = json.loads(server.raw("GET", "/version")[2])
        check((version["model"], version["version"], version["alias"]) == ("told", "2", "champion"), version)
        check(len(version["run_id"]) == 32 and version["since_ms"] > 1e12, version)
        found = server.ask({"inputs": 1})
        check(found["version"] == "2" and found["predictions"][:2] == ["42", "2"], found)
        text = server.raw("GET", "/metrics")[2].decode()
        check('trk_serve_requests_total{status="200"} 1\n' in text, text)
        check('trk_serve_model_info{model="told",version="2",alias="champion",run_id="' in text, text)
        check_exposition(text)
        check("trk_serve_workers_ready 2\n" in text and "trk_serve_request_seconds_count 1\n" in text, text)
        check(server.wait_log('event=worker_said .*version=2 text="worker of 42"'), "standard error is in the log")


@case
def what_a_worker_says_is_in_the_log(site):
    with site.serve_folder() as server:
        check(server.wait_log('event=worker_said pid=[0-9]+ version= text="by name"'), "what was opened by name")
        server.ask({"inputs": {"do": "talk"}})
        check(server.wait_log('event=worker_said .*text="after it"'), "what follows a line that is too long")
        check(server.wait_log("event=worker_said .*text=y*end"), "the rest of one")
        check(not any("text=\n" in line or 'text=""' in line for line in server.log), "empty lines are left out")


@case
def a_worker_has_no_files_of_the_server(site):
    site.number("closed", "one")
    with site.serve("closed@champion", "--workers", "2") as server:
        server.ready()
        connection = server.connect()
        found = server.ask({"inputs": {"do": "look"}}, connection=connection)["predictions"]
        connection.close()
        check(found == ["0", "1", "2"], found)


@case
def requests_may_be_sent_before_the_replies_have_come(site):
    head = "POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"
    sent = "".join(head + json.dumps({"inputs": n}) for n in range(1, 5))
    sent += "HEAD /version HTTP/1.1\r\nHost: localhost\r\n\r\nOPTIONS /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with site.serve("--model-dir", site.folder(), "--workers", "3") as server:
        server.ready()
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as peer:
            peer.sendall(sent.encode())
            replies = b"".join(iter(lambda: peer.recv(65536), b"")).decode()
        asked = [int(n) for n in re.findall(r'"inputs": (\d)', replies)]
        check(asked == [1, 2, 3, 4], replies)
        statuses = re.findall(r"HTTP/1.1 (\d+)", replies)
        check(statuses == ["200"] * 5 + ["405"] and '"since_ms"' not in replies, replies)
        check("Allow: GET, HEAD" in replies, replies)


@case
def a_service_manager_hears_that_it_is_ready_alive_and_stopping(site):
    path = f"\0{site.fresh('notify')}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    listener.settimeout(DEADLINE_S)
    heard = []

    def hear(wanted):
        while wanted not in (heard or [""])[-1]:
            heard.append(listener.recv(4096).decode())
    site.number("managed", "one")
    site.trk.environment.update({"NOTIFY_SOCKET": "@" + path[1:], "WATCHDOG_USEC": "1000000"})
    try:
        with site.serve("managed@champion") as server:
            hear("READY=1")
            check("serving managed 1" in heard[-1] and server.raw("GET", "/ping")[0] == 200, heard)
            hear("WATCHDOG=1")
            check(server.stop() == 0, "ends")
            hear("STOPPING=1")
    finally:
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC"):
            site.trk.environment.pop(name)
        listener.close()


@case
def a_worker_that_fails_costs_one_request_and_is_replaced(site):
    rows = [  # what it does, status, what is said
        ("die", 502, "ended with status 1"),
        ("garbage", 502, "no JSON object; it began with: loading 100%"),
        ("stranger", 502, "which it had not been asked"),
        ("nothing", 502, "neither predictions nor an error"),
        ("deaf", 502, "closed its standard output"),
        ("hang", 504, "did not answer within 2000 ms"),
    ]
    with site.serve_folder("--timeout", "2") as server:
        for does, status, said in rows:
            found = server.ask({"inputs": {"do": does}}, expect=status)
            check(said in found["message"], found)
            check(server.ask({"inputs": 5})["predictions"][0] == "1", f"after {does}")
        check(server.metric("worker_restarts_total") == len(rows), server.metric("worker_restarts_total"))
        check(server.wait_log('text="out of ideas"'), "its last words are in the log")
        check(server.ask({"inputs": {"do": "answer_and_die"}})["predictions"][0] == "1", "answered before it died")
        wait_for(lambda: server.metric("worker_restarts_total") == len(rows) + 1, "the end of it")
        check(server.ask({"inputs": 6})["predictions"][0] == "1", "and replaced")


@case
def an_answer_without_end_is_cut_off(site):
    with site.serve_folder() as server:
        found = server.ask({"inputs": {"do": "flood"}}, expect=502)
        check("longer than" in found["message"], found)
        check(server.ask({"inputs": 1})["predictions"][0] == "1", "afterwards")


class Blocked:
    """A request that its worker answers when it is told to."""

    def __init__(self, site, server):
        self.fifo = site.fresh("fifo")
        os.mkfifo(self.fifo)
        self.reply = None
        self.thread = threading.Thread(target=self._ask, args=(server,), daemon=True)
        self.thread.start()

    def _ask(self, server):
        self.reply = server.ask({"inputs": {"do": "wait", "fifo": self.fifo}})

    def wait_for_worker(self):
        self.writer = open(self.fifo, "w")  # until the worker reads

    def let_go(self):
        self.writer.close()
        self.thread.join(DEADLINE_S)
        check(self.reply is not None, "no reply")
        return self.reply


@case
def beyond_the_queue_there_is_503_and_who_waits_is_answered(site):
    with site.serve_folder("--queue", "2") as server:
        first = Blocked(site, server)
        first.wait_for_worker()
        replies = []
        waiting = [threading.Thread(target=lambda: replies.append(server.ask({"inputs": 1}))) for _ in range(2)]
        for thread in waiting:
            thread.start()
        wait_for(lambda: server.metric("queue_length") == 2, "a full queue")
        status, headers, reply = server.raw("POST", "/invocations", '{"inputs":1}', {"Content-Type": "application/json"})
        check(status == 503 and headers["Retry-After"] == "1" and b"Too many" in reply, (status, reply))
        first.let_go()
        for thread in waiting:
            thread.join(DEADLINE_S)
        check(len(replies) == 2, "who waited")


@case
def who_waits_too_long_gets_503(site):
    with site.serve_folder("--timeout", "1", "--queue", "5") as server:
        results = []

        def ask(body, expect):
            results.append(server.ask(body, expect=expect))
        hanging = threading.Thread(target=ask, args=({"inputs": {"do": "hang"}}, 504))
        hanging.start()
        wait_for(lambda: server.metric("connections_open") == 2, "the request")
        found = server.raw("POST", "/invocations", '{"inputs":1}', {"Content-Type": "application/json"})
        hanging.join(DEADLINE_S)
        # The worker is replaced about when the patience of the one who waits ends.
        check(found[0] in (200, 503) and len(results) == 1, found)


@case
def a_client_that_goes_away_is_forgotten(site):
    with site.serve_folder() as server:
        first = Blocked(site, server)
        first.wait_for_worker()
        gone = socket.create_connection(("127.0.0.1", server.port))
        gone.sendall(b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 12\r\n"
                     b"\r\n{\"inputs\":1}")
        wait_for(lambda: server.metric("queue_length") == 1, "the request")
        gone.close()
        wait_for(lambda: server.metric("queue_length") == 0, "the end of it")
        first.let_go()
        check(server.ask({"inputs": 2})["predictions"][0] == "1", "others")


@case
def the_alias_moves_and_requests_follow(site):
    site.number("moving", "one")
    site.number("moving", "two")
    with site.serve("moving@champion", "--dir", os.path.join(site.home, "moving")) as server:
        server.ready()
        check(server.ask({"inputs": 1})["predictions"][:2] == ["two", "2"], "at first")
        site.move("moving", 1)
        wait_for(lambda: server.ask({"inputs": 1})["predictions"][:2] == ["one", "1"], "the move")
        site.move("moving", 2)
        wait_for(lambda: server.ask({"inputs": 1})["version"] == "2", "the way back")
        check(server.metric("reloads_total") == 3, server.metric("reloads_total"))
    check(site.holds(os.path.join(site.home, "moving")) == {"number": b"two\n"}, "current")


@case
def a_request_under_way_is_finished_by_the_old_version(site):
    site.number("drained", "one")
    with site.serve("drained@champion", "--workers", "1") as server:
        server.ready()
        first = Blocked(site, server)
        first.wait_for_worker()
        site.number("drained", "two")
        wait_for(lambda: server.ask({"inputs": 1})["version"] == "2", "the move")
        found = first.let_go()
        check(found["version"] == "1" and found["predictions"][:2] == ["one", "1"], found)


@case
def a_version_whose_workers_do_not_start_is_refused(site):
    site.number("sickly", "one")
    to = os.path.join(site.home, "sickly")
    with site.serve("sickly@champion", "--dir", to) as server:
        server.ready()
        site.number("sickly", "sick")
        server.wait_log("event=version_refused .*version=2 reason=.*ended with status 1")
        check(server.ask({"inputs": 1})["version"] == "1" and server.metric("reloads_failed_total") == 1, "the old one")
        wait_for(lambda: site.status(to)["result"] == "failed", "the directory says so")
        check("ended with status 1" in site.status(to)["reason"], site.status(to))
        site.number("sickly", "three")
        wait_for(lambda: server.ask({"inputs": 1})["version"] == "3", "the next one")


@case
def the_registry_is_told_what_is_served(site):
    def told():
        found = site.get("/api/trackerd/v1/deployments?model=told-of")["deployments"]
        check(len(found) <= 1, found)
        return found[0] if found else {"state": None}

    site.number("told-of", "one")
    words = ("told-of@champion", "--env", "prod", "--target", "edge", "--heartbeat", "1")
    with site.serve(*words) as server:
        wait_for(lambda: told()["state"] == "active", "the first version")
        first = told()
        wanted = {"version": "1", "alias": "champion", "environment": "prod", "target": "edge", "heartbeat_ms": 1000,
                  "path": f"http://127.0.0.1:{server.port}"}
        check({key: first[key] for key in wanted} == wanted, first)
        wait_for(lambda: told()["last_seen_ms"] > first["last_seen_ms"], "a heartbeat")
        site.number("told-of", "sick")
        wait_for(lambda: told()["state"] == "failed", "the refusal")
        check("ended with status 1" in told()["reason"] and told()["version"] == "1", told())
        site.number("told-of", "three")
        wait_for(lambda: (told()["state"], told()["version"]) == ("active", "3"), "the third version")
        check(told()["previous_version"] == "1", told())
    wait_for(lambda: (told()["state"], told()["reason"]) == ("stale", "trk serve has ended"), "the end")
    with site.serve(*words) as server:
        server.ready()
        wait_for(lambda: told()["path"] == f"http://127.0.0.1:{server.port}", "the same deployment at another address")
    site.number("untold-of", "one")
    with site.serve("untold-of@champion", "--no-report") as server:
        server.ready()
        server.ask({"inputs": 1})
    check(site.get("/api/trackerd/v1/deployments?model=untold-of")["deployments"] == [], "not told")


@case
def the_example_of_a_model_is_what_its_workers_are_probed_with(site):
    good = b'{"dataframe_split": {"columns": ["a"], "data": [[1]]}}'
    site.number("example", "one", **{"serving_input_example.json": good})
    with site.serve("example@champion") as server:
        server.ready()
        for bad, said in ((b'{"inputs": {"do": "refuse"}}', "answered the probe with an error"),
                          (b"{", "serving_input_example.json of the model: The body is not JSON")):
            site.number("example", "two", **{"serving_input_example.json": bad})
            server.wait_log(f"event=version_refused .*{said}")
        check(server.ask({"inputs": 1})["version"] == "1", "the old one")


@case
def without_the_registry_the_copy_is_served_and_what_came_meanwhile_follows(site):
    site.number("lonely", "one")
    words = ("lonely@champion", "--dir", os.path.join(site.home, "lonely"))
    with site.serve(*words) as server:
        server.ready()
    port = site.daemon.port
    site.daemon.stop()
    with site.serve(*words) as server:
        server.ready()
        check(server.ask({"inputs": 1})["predictions"][0] == "one", "the copy")
        check(server.metric("server_reachable") == 0, "and it is known")
        server.wait_log("event=registry .*cannot be reached")
        site.daemon.start(port)
        site.client = site.daemon.connect()
        site.number("lonely", "two")
        wait_for(lambda: server.ask({"inputs": 1})["version"] == "2", "what came meanwhile")
        check(server.metric("server_reachable") == 1, "and it is known")


@case
def nothing_to_serve_is_an_error_with_its_status(site):
    site.number("firstsick", "sick")
    rows = [  # words, address, exit status, what is said
        (["nosuch@champion"], None, 3, "There is no model 'nosuch'."),
        (["nosuch/1"], None, 3, "nosuch"),
        (["nosuch@champion"], "http://127.0.0.1:1", 6, "cannot be reached"),
        (["firstsick@champion"], None, 1, "no worker of firstsick 1 got ready: it ended with status 1"),
        (["--model-dir", site.folder("sick")], None, 1, "ended with status 1"),
        (["--model-dir", "/nosuch"], None, 1, "No such file"),
        (["champion"], None, 2, "names no version"),
        ([], None, 2, "--model-dir"),
        (["m@champion", "--model-dir", "."], None, 2, "either a version or"),
        (["m@champion", "--workers", "257"], None, 2, "--workers is at most 256"),
        (["m@champion", "--queue", "0"], None, 2, "--queue"),
    ]
    for words, url, status, said in rows:
        with site.serve(*words, url=url) as server:
            found = server.process.wait(DEADLINE_S)
            server.reader.join(DEADLINE_S)
            log = "".join(server.log)
            check(found == status and said.lower() in log.lower(), (words, found, log))


@case
def of_two_servers_in_a_directory_the_second_is_refused(site):
    site.number("shared", "one")
    words = ("shared@champion", "--dir", os.path.join(site.home, "shared"))
    with site.serve(*words) as server:
        server.ready()
        with site.serve(*words) as second:
            check(second.process.wait(DEADLINE_S) == 4, "".join(second.log))


@case
def the_taxi_model_predicts_over_http_what_it_predicts_in_a_batch(site):
    """Also for a pair of zones that training did not see."""
    folder = site.fresh("taxi")
    os.mkdir(folder)
    with open(os.path.join(folder, "weights.csv"), "w", encoding="utf-8") as file:
        file.write("feature,weight\nbias,5.125\ndistance,2.3333333333333335\n74_75,-1.1\n74_263,0.30000000000000004\n")
    trips = [(74, 75, 1.2), (74, 263, 0.1), (75, 74, 30.07), (74, 75, 0)]
    columns = ["PULocationID", "DOLocationID", "trip_distance"]
    month = os.path.join(site.home, "month.csv")
    with open(month, "w", encoding="utf-8") as file:
        file.write("lpep_pickup_datetime,lpep_dropoff_datetime," + ",".join(columns) + "\n")
        for trip in trips:
            file.write("2021-03-01 00:00:00,2021-03-01 00:10:00," + ",".join(map(str, trip)) + "\n")
    predict = os.path.join(os.path.dirname(site.program), "taxi-predict")
    subprocess.run([predict, folder, month, "--predictions", os.path.join(site.home, "batch.csv")], check=True,
                   stdout=subprocess.DEVNULL)
    batch = [float(line.split(",")[1]) for line in open(os.path.join(site.home, "batch.csv")).readlines()[1:]]
    site.command = 'exec taxi-predict --serve "$TRK_MODEL_PATH"'
    try:
        with site.serve("--model-dir", folder) as server:
            server.ready()
            for body in ({"dataframe_split": {"columns": columns, "data": trips}},
                         {"inputs": dict(zip(columns, zip(*trips)))}):
                served = server.ask(body)["predictions"]
                check([round(p, 4) for p in served] == batch, (served, batch))
            exact = [5.125 + 2.3333333333333335 * d + {(74, 75): -1.1, (74, 263): 0.30000000000000004}.get((a, b), 0)
                     for a, b, d in trips]
            check(served == exact, (served, exact))
            for record, said in (({"PULocationID": 74, "DOLocationID": 75}, "trip_distance of record 0"),
                                 ({"PULocationID": -1, "DOLocationID": 75, "trip_distance": 1}, "PULocationID"),
                                 ({"PULocationID": 1, "DOLocationID": 10000, "trip_distance": 1}, "DOLocationID")):
                check(said in server.ask({"instances": [record]}, expect=400)["message"], record)
            beyond = {"instances": [{"PULocationID": 1, "DOLocationID": 2, "trip_distance": float("inf")}]}
            check("too large" in server.ask(beyond, expect=400)["message"], "what JSON has no number for")
            check(server.metric("worker_restarts_total") == 0, "refusals cost no worker")
            check("as records" in server.ask({"inputs": [1]}, expect=400)["message"], "a tensor")
    finally:
        site.command = write_worker(site.home)


@case
def sigterm_answers_what_is_there_and_ends(site):
    with site.serve_folder() as server:
        first = Blocked(site, server)
        first.wait_for_worker()
        server.process.send_signal(signal.SIGTERM)
        server.wait_log("event=signal_received")
        found = first.let_go()
        check(found["predictions"][0] == "1", found)
        check(server.process.wait(DEADLINE_S) == 0, "".join(server.log))
        server.wait_log("event=stopped")


@case
def a_second_signal_does_not_wait(site):
    with site.serve_folder() as server:
        results = []
        hanging = threading.Thread(target=lambda: results.append(server.ask({"inputs": {"do": "hang"}}, expect=502)))
        hanging.start()
        wait_for(lambda: server.metric("connections_open") == 2, "the request")
        server.process.send_signal(signal.SIGINT)
        server.wait_log("event=signal_received")
        server.process.send_signal(signal.SIGINT)
        hanging.join(DEADLINE_S)
        check(len(results) == 1 and server.process.wait(DEADLINE_S) == 0, "".join(server.log))


def children_of(server):
    with open(f"/proc/{server.process.pid}/task/{server.process.pid}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def has_ended(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


@case
def a_server_that_is_killed_leaves_no_process_behind(site):
    site.number("killed", "one")
    with site.serve("killed@champion") as server:
        server.ready()
        children = children_of(server)
        check(len(children) == 3, children)
        check(server.stop(signal.SIGKILL) == -signal.SIGKILL, "killed")
        wait_for(lambda: all(has_ended(pid) for pid in children), "the end of its workers and its follower")


@case
def the_follower_may_be_killed(site):
    site.number("robust", "one")
    with site.serve("robust@champion") as server:
        server.ready()
        found = [pid for pid in children_of(server)
                 if open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")[1:2] == [b"serve"]]
        check(len(found) == 1, found)
        os.kill(found[0], signal.SIGKILL)
        server.wait_log("event=follower_ended")
        site.number("robust", "two")
        wait_for(lambda: server.ask({"inputs": 1})["version"] == "2", "the move")


if __name__ == "__main__":
    with ServeSite(binary(sys.argv, "trk")) as the_site:
        run_cases(the_site, only=sys.argv[2] if len(sys.argv) > 2 else "")
