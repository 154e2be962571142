"""The organisation's addresses, the same in both tools, so that a person can be known as one."""

from __future__ import annotations

import unicodedata

BOT_NAME, BOT_EMAIL = "PMO bot", "pmo-bot@acme.example"
# Letters that do not come apart into a plain letter and a mark.
PLAIN = str.maketrans({"Ł": "L", "ł": "l", "Ø": "O", "ø": "o", "đ": "d"})


def email(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.translate(PLAIN)).encode("ascii", "ignore").decode()
    return f"{'.'.join(plain.lower().split())}@acme.example"
