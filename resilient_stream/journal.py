"""`Journal`: streams that outlive the process that began them, and the readers that read them.

::

    from resilient_stream import resilient
    from resilient_stream.journal import Journal, journal_key

    journal = Journal("sqlite:///streams.db")
    client = resilient(anthropic.Anthropic(), journal=journal)
    with client.messages.stream(..., extra_headers=journal_key("report/chapter-3")) as stream:
        for text in stream.text_stream:
            ...

If the program is run again after a crash, the same key delivers what is stored at once, and continues from
there. ``docs/durable.md`` says when to use a journal, what it guarantees and what it costs.
"""

from __future__ import annotations

from ._journal.entries import Head, Status
from ._journal.follow import Entry
from ._journal.journal import Journal
from ._journal.scope import journal_key, journaled

__all__ = ["Entry", "Head", "Journal", "Status", "journal_key", "journaled"]
