"""Ask a testpoint what LibreSpeed's page asks, from a page of another origin, in Chromium. Arguments: its port. JSON."""

import http.server
import json
import shutil
import sys
import threading

from playwright.sync_api import sync_playwright

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ASK = """async port => {
  const ask = (method, path, fields, body) => new Promise(done => {
    const request = new XMLHttpRequest();
    request.open(method, `http://127.0.0.1:${port}/${path}`);
    request.responseType = "arraybuffer";
    for (const name in fields) request.setRequestHeader(name, fields[name]);
    request.onload = () => done([request.status, request.response.byteLength]);
    request.onerror = () => done("refused");
    request.send(body);
  });
  return {
    getIP: await ask("GET", "getIP.php?cors=true&isp=true", {}, null),
    ping: await ask("GET", "empty.php?cors=true&r=0.1", {}, null),
    garbage: await ask("GET", "garbage.php?cors=true&ckSize=2", {}, null),
    upload: await ask("POST", "empty.php?cors=true", {"Content-Encoding": "identity"}, new Blob([new Uint8Array(3000000)])),
    metrics: await ask("GET", "metrics", {}, null),
  };
}"""


class Page(http.server.BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its own name
        """Say nothing."""


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(SWITCHES))
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        sys.stdout.write(json.dumps(page.evaluate(ASK, int(sys.argv[1]))))
        browser.close()
    server.shutdown()
