"""A small HTTP server in a thread of the test, on a port of 127.0.0.1 that the kernel chooses. Python's library only."""
import http.server
import threading


class LoopbackServer:
    """A context manager that serves while it is open. Without a handler class, each GET calls self.answer(request)."""

    def __init__(self, handler=None):
        owner = self

        class Answering(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                owner.answer(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler or Answering)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
