"""Signs what a webhook carries, so that its receiver can tell that the right Asana sent it.

The secret goes over the line once, in the handshake; whoever knows it can check every later delivery.
"""

from __future__ import annotations

import hashlib
import hmac

SECRET = "X-Hook-Secret"
SIGNATURE = "X-Hook-Signature"


def signature(secret: str, body: bytes) -> str:
    """What X-Hook-Signature says of a body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
