#!/usr/bin/env python3
"""Sends the byte streams of strict_http.txt to a running server and compares what comes back.

    python3 tests/contract/strict_http.py 127.0.0.1:PORT [--cuts] [--only TEXT]

Each row is sent three times on new connections: whole, byte by byte, and cut once in the middle of the
stream; with --cuts it is cut once at every place instead. Rows of more than 2000 bytes are sent whole only.
Prints what failed and a count; exits with 1 if anything failed."""

import argparse
import json
import os
import random
import re
import select
import socket
import string
import sys

DEADLINE_S = 10
BYTEWISE_BYTES_MAX = 2000
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
END = object()


class Failure(Exception):
    pass


def read_rows(path):
    """Yields (name, text to send, list of expected words)."""
    name, sends = None, ""
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if line.startswith("> "):
                sends += line[2:]
            elif line.startswith("< "):
                if name is None or not sends:
                    sys.exit(f"{path}:{number}: an answer without a request")
                yield name, sends, line[2:].split()
                name, sends = None, ""
            else:
                name = line


def expand(text):
    """The text of a row as a list of bytes objects and END."""
    text = text.replace("{H}", "Host: localhost\\r\\n")
    text = text.replace("{GET}", "GET /health HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    text = re.sub(r"\{unique\}", lambda _: "".join(random.choices(string.ascii_lowercase, k=16)), text)
    text = re.sub(r"\{(\d+)\*([^{}]*)\}", lambda match: match[2] * int(match[1]), text)
    out = []
    for part in re.split(r"(\{end\})", text):
        if part == "{end}":
            out.append(END)
        elif part:
            out.append(unescape(part))
    return out


def unescape(text):
    plain = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
    out = b""
    for part in re.findall(r"\\x[0-9a-f]{2}|\\.|[^\\]+", text):
        if part.startswith("\\x"):
            out += bytes([int(part[2:], 16)])
        elif part.startswith("\\"):
            out += plain[part[1]]
        else:
            out += part.encode("ascii")
    return out


class Connection:
    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=DEADLINE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.ended = False

    def close(self):
        self.socket.close()

    def send(self, parts):
        """A server that has refused may close before all is sent: that is no failure here."""
        try:
            for part in parts:
                if part is END:
                    self.socket.shutdown(socket.SHUT_WR)
                else:
                    self.socket.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def fill(self):
        """Receives more; False at the end."""
        if self.ended:
            return False
        try:
            piece = self.socket.recv(65536)
        except socket.timeout:
            raise Failure("nothing came for %d s" % DEADLINE_S) from None
        except ConnectionResetError:
            piece = b""
        self.received += piece
        self.ended = not piece
        return bool(piece)

    def reply(self, has_body):
        """The next reply: (status, headers in lower case, body)."""
        while b"\r\n\r\n" not in self.received:
            if not self.fill():
                raise Failure("the connection ended before a reply: %r" % self.received[:200])
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [^\r\n]+", lines[0])
        if not match:
            raise Failure("no status line: %r" % lines[0])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        status = int(match[1])
        if status < 200 or status in (204, 304) or not has_body:
            return status, headers, b""
        length = int(headers.get("content-length", "-1"))
        if length < 0:
            raise Failure("a reply without Content-Length")
        while len(self.received) < length:
            if not self.fill():
                raise Failure("the connection ended inside a body")
        body, self.received = self.received[:length], self.received[length:]
        return status, headers, body


def check_error(status, headers, body):
    if not headers.get("content-type", "").startswith("application/json"):
        raise Failure("%d is not JSON: %r" % (status, headers))
    error = json.loads(body)
    if not isinstance(error.get("error_code"), str) or not isinstance(error.get("message"), str):
        raise Failure("%d has no error_code and message: %r" % (status, body))


def run(address, parts, expected):
    connection = Connection(address)
    try:
        connection.send(parts)
        last = {}
        for index, word in enumerate(expected[:-1]):
            if word == "head":
                continue
            status, last, body = connection.reply(expected[index + 1] != "head")
            if status == 100 and word != "100" and "100" not in expected:
                raise Failure("100 Continue that nobody asked for")
            if str(status) != word:
                raise Failure("got %d instead of %s: %r" % (status, word, body[:200]))
            if status >= 400:
                check_error(status, last, body)
        if expected[-1] in ("close", "end"):
            if expected[-1] == "close" and last.get("connection") != "close":
                raise Failure("the last reply does not say that it closes")
            while connection.fill():
                pass
            if connection.received:
                raise Failure("more came: %r" % connection.received[:200])
            return
        if connection.received:
            raise Failure("more came: %r" % connection.received[:200])
        connection.send([GET])
        status, _, _ = connection.reply(True)
        if status != 200 or connection.received:
            raise Failure("the connection is out of step: %d %r" % (status, connection.received[:200]))
        if select.select([connection.socket], [], [], 0)[0]:
            raise Failure("the connection is not left open and silent")
    finally:
        connection.close()


def bytewise(parts):
    return [part if part is END else part[i:i + 1] for part in parts
            for i in range(1 if part is END else len(part))]


def cut(parts, at):
    """The first part, cut; what follows (END) stays."""
    return [parts[0][:at], parts[0][at:], *parts[1:]]


def variants(text, all_cuts):
    """(description, parts), each with fresh unique words."""
    parts = expand(text)
    size = len(parts[0])
    yield "whole", parts
    if size > BYTEWISE_BYTES_MAX:
        return
    yield "byte by byte", bytewise(expand(text))
    for at in range(1, size) if all_cuts else [size // 2]:
        yield "cut at %d" % at, cut(expand(text), at)


def main():
    arguments = argparse.ArgumentParser(description="Tests the strictness of an HTTP server.")
    arguments.add_argument("address", help="HOST:PORT, or http://HOST:PORT")
    arguments.add_argument("--cuts", action="store_true", help="cut each row at every place")
    arguments.add_argument("--only", default="", help="rows whose name contains this")
    options = arguments.parse_args()
    host, _, port = options.address.removeprefix("http://").rstrip("/").rpartition(":")
    address = (host.strip("[]"), int(port))
    table = os.path.join(os.path.dirname(os.path.abspath(__file__)), "strict_http.txt")
    passed = failed = rows = 0
    for name, text, expected in read_rows(table):
        if options.only not in name:
            continue
        rows += 1
        for how, parts in variants(text, options.cuts):
            try:
                run(address, parts, expected)
                passed += 1
            except (Failure, OSError, ValueError) as failure:
                failed += 1
                print(f"FAILED {name} ({how}): {failure}")
    print(f"strict_http: {rows} rows, {passed} passed, {failed} failed")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
