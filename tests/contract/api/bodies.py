"""Bodies to upload."""

from __future__ import annotations

import io

#: Three profiles, the last line without its end.
LINES = b"\n".join(
    b'{"operation":"UPSERT","user_account_id":"crm-%d","force_replace":true,"user_profile":{"city":"Orl\xc3\xa9ans"}}'
    % n
    for n in range(3)
)


class BytesBody(io.BytesIO):
    """Bytes as a body."""

    def __len__(self) -> int:
        return len(self.getbuffer())


class Opener:
    """Opens the same bytes again and again, and counts how often."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.bodies: list[BytesBody] = []

    def __call__(self) -> BytesBody:
        self.bodies.append(BytesBody(self.content))
        return self.bodies[-1]

    @property
    def all_closed(self) -> bool:
        """Whether every body that was opened was closed."""
        return all(body.closed for body in self.bodies)
