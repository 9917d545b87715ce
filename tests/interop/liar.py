"""A server that stands before a log and lies in one place, so that its judges can be judged.

    liar.py URL

Prints where it listens. Under honest/ everything is as at URL; under each other name in LIES one
resource is changed in one place. A judge that accepts any but honest/ accepts anything.
"""

import http.server
import re
import signal
import sys
import urllib.error
import urllib.request

# What is changed: the head, the last signature under it, a full tile, the tile above it, a bundle.
LIES = {
    "honest": "",
    "root": "checkpoint",
    "cosignature": "checkpoint",
    "leaf": "tile/0/100",
    "node": "tile/1/000",
    "entry": "tile/entries/100",
}


def turn(name, body):
    """The body with one change: of one bit, or of one character in what must stay base64."""
    changed = bytearray(body)
    if LIES[name] != "checkpoint":
        # The last byte belongs to a hash, or to an entry and not to its length.
        changed[-1] ^= 1
        return bytes(changed)
    third = body.index(b"\n", body.index(b"\n") + 1) + 1
    at = third if name == "root" else len(body) - 20
    changed[at] = ord("B") if changed[at] == ord("A") else ord("A")
    return bytes(changed)


class Liar(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the whole answer at once

    def do_GET(self):
        name, _, path = self.path.lstrip("/").partition("/")
        if name not in LIES:
            return self.send(404, b"")
        try:
            with opener.open(sys.argv[1] + path) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            return self.send(error.code, b"")
        # A partial tile of a published size is a part of the full one: the lie must be in both.
        if LIES[name] and re.fullmatch(re.escape(LIES[name]) + r"(\.p/\d+)?", path):
            body = turn(name, body)
        self.send(200, body)

    def send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
