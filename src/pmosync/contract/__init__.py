"""What a connector is: the values it decodes, the records it brings, the marks it writes.

Connectors decode types, mappings give meaning: a connector turns the tool's JSON into records under the tool's own
field ids and never learns what "blocked" means. Everything here is a value; the only behaviour is the `Connector`
protocol.

Words: a *scope* is a part of a site that can be observed or not (`project:10001`, `people`); a *slot* is a place that
we may write; a *reading* is what stands in a slot.
"""

from __future__ import annotations

from .catalog import Catalog, FieldInfo, Limitation, ProjectInfo
from .connector import Capabilities, Connector
from .marks import Change, Estimate, Fate, Form, Level, Prepared, Reading, Receipt, Slot, SlotKind
from .records import Batch, Event, Extra, Fallen, Known, Record, Scope, State, decode_event, encode_event
from .values import (
    Choice,
    Clock,
    Duration,
    Kind,
    Link,
    MarkedKind,
    Person,
    Reference,
    Scalar,
    SubjectKind,
    Value,
    canonical,
    decode,
    encode,
)

__all__ = [
    "Batch",
    "Capabilities",
    "Catalog",
    "Change",
    "Choice",
    "Clock",
    "Connector",
    "Duration",
    "Estimate",
    "Event",
    "Extra",
    "Fallen",
    "Fate",
    "FieldInfo",
    "Form",
    "Kind",
    "Known",
    "Level",
    "Limitation",
    "Link",
    "MarkedKind",
    "Person",
    "Prepared",
    "ProjectInfo",
    "Reading",
    "Receipt",
    "Record",
    "Reference",
    "Scalar",
    "Scope",
    "Slot",
    "SlotKind",
    "State",
    "SubjectKind",
    "Value",
    "canonical",
    "decode",
    "decode_event",
    "encode",
    "encode_event",
]
