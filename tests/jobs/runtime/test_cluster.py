"""When a master's page says how many workers it has; that clusters start and end is in tests/storms/test_engines.py."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from jobs.runtime.cluster import alive_workers


def test_a_master_that_still_answers_another_page_has_no_workers_yet() -> None:
    """While a master starts, its server gives its main page whatever is asked of it."""
    pages = [b"<!DOCTYPE html><html></html>", b'{"aliveworkers": 2}']

    class Starting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(pages.pop(0))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Starting) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        assert [alive_workers(server.server_port) for _ in range(2)] == [0, 2]
        server.shutdown()
    assert not pages
