"""OHIF's published build behind one origin with the API, as pages and API stand in the province."""

from __future__ import annotations

import contextlib
import http.client
import mimetypes
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

CONFIG = """window.config = {routerBasename: '/', showStudyList: true, extensions: [], modes: [],
  maxNumberOfWebWorkers: 1, showLoadingIndicator: false, showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: false,
  investigationalUseDialog: {option: 'never'}, defaultDataSourceName: 'dicomweb', dataSources: [
  {namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'dicomweb', configuration: {
    friendlyName: 'cloud', name: 'cloud', qidoRoot: '/dicomweb', wadoRoot: '/dicomweb', wadoUriRoot: '/dicomweb/wado',
    qidoSupportsIncludeField: true, imageRendering: 'wadors', thumbnailRendering: 'thumbnail',
    enableStudyLazyLoad: true, supportsFuzzyMatching: false, supportsWildcard: true, bulkDataURI: {enabled: false}}},
  {namespace: '@ohif/extension-default.dataSourcesModule.dicomjson', sourceName: 'dicomjson', configuration: {
    friendlyName: 'json', name: 'json'}}]};
"""


class Origin(BaseHTTPRequestHandler):
    """`dist`, `api` and `token` are set by `serve`; `seen` keeps what was asked of the API and how it was answered."""

    protocol_version = "HTTP/1.1"
    dist = api = token = seen = None

    def do_GET(self):
        path = urlsplit(self.path).path
        if path.startswith("/dicomweb"):
            return self._forward()
        if path == "/app-config.js":
            return self._give(200, "text/javascript", CONFIG.encode())
        file = self.dist / path.lstrip("/")
        file = file if file.is_file() else self.dist / "index.html"
        return self._give(200, mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes())

    def _forward(self):
        """With the session's token; and in JSON, where the API names its own address, it is this one."""
        api = urlsplit(self.api)
        accept = {"Accept": self.headers.get("Accept", "*/*"), "Authorization": f"Bearer {self.token()}"}
        with contextlib.closing(http.client.HTTPConnection(api.hostname, api.port, timeout=60)) as connection:
            connection.request("GET", self.path, headers=accept)
            answer = connection.getresponse()
            body = answer.read()
        kind = answer.headers.get("Content-Type", "text/plain")
        if "json" in kind:
            body = body.replace(self.api.encode(), f"http://{self.headers['Host']}".encode())
        self.seen.append((self.path, answer.status))
        self._give(answer.status, kind, body, answer.headers.get("Location"))

    def _give(self, status, kind, body, location=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serve(dist, api, token):
    """(the origin's URL, what was asked of the API)"""
    seen = []
    fields = {"dist": dist, "api": api, "token": staticmethod(token), "seen": seen}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Origin,), fields))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
