"""How the web process reads HTTP: `uvicorn --http campaigns.web.http_protocol:BoundedHttp`.

httptools, in C, takes a quarter off a webhook's processor time. It sets no bound to what comes before a body, so
anybody could fill the memory with one header that never ends; we do.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 1024
"""As uvicorn's own protocol in Python has it. Providers send one or two kilobytes."""


class BoundedHttp(HttpToolsProtocol):
    """Answers 400 and hangs up once so many bytes brought neither a request's end of headers nor a piece of a body:
    endless headers, trailers and chunk extensions alike."""

    _idle_bytes = 0

    def data_received(self, data: bytes) -> None:
        self._idle_bytes += len(data)
        super().data_received(data)
        if self._idle_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.logger.warning("http_head_too_long")
            self.send_400_response("the request's head is too long")

    def on_headers_complete(self) -> None:
        self._idle_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._idle_bytes = 0
        super().on_message_complete()
