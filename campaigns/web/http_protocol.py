"""How the web process reads HTTP: `uvicorn --http campaigns.web.http_protocol:BoundedHttp`.

httptools, in C, takes a quarter off a webhook's processor time. It sets no bound to what comes before a body, so
anybody could fill the memory with one header that never ends; and it takes the body of a request that offers another
protocol for that protocol's. We do the one and mend the other.
"""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 1024
"""As uvicorn's own protocol in Python has it. Providers send one or two kilobytes."""
_NO_HTTP = "Invalid HTTP request received."


class BoundedHttp(HttpToolsProtocol):
    """Answers 400 and hangs up once so many bytes brought neither a request's end of headers nor a piece of a body:
    endless headers, trailers and chunk extensions alike. What is offered besides HTTP/1.1 is never taken up."""

    _idle_bytes = 0

    def data_received(self, data: bytes) -> None:
        self._idle_bytes += len(data)
        self._unset_keepalive_if_required()
        self._read(data)
        if self._idle_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._hang_up("the request's head is too long")

    def _read(self, data: bytes) -> None:
        while not self.transport.is_closing():
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                data = self._declined() + data[offer.args[0] :]
            except httptools.HttpParserError:
                self._hang_up(_NO_HTTP)
            else:
                return

    def _declined(self) -> bytes:
        """The head once more without its offer, for a fresh parser; the old one would read no further."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets it
        if method == b"CONNECT":
            self._hang_up(_NO_HTTP)
        return b"".join([b"%b %b HTTP/%b\r\n" % (method, self.url, version), *headers, b"\r\n"])

    def _hang_up(self, why: str) -> None:
        self.logger.warning("http_refused cause=%s", why)
        self.send_400_response(why)

    def on_headers_complete(self) -> None:
        self._idle_bytes = 0
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._idle_bytes = 0
        if not self.parser.should_upgrade():
            super().on_message_complete()
