"""Test your own program: a server on this machine plays the API and fails."""

import anthropic
from resilient_stream import report, resilient
from resilient_stream.testing import StandIn, cut_at

REPLY = "The moon pulls at the water, and the earth turns beneath it. " * 20


def summary(client: anthropic.Anthropic) -> tuple[str, bool]:
    """The program under test."""
    with client.messages.stream(
        model="claude-opus-5",
        max_tokens=4096,
        messages=[{"role": "user", "content": "Tides?"}],
    ) as stream:
        return stream.get_final_text(), report(stream).resumed


def test_the_text_survives_a_reset() -> None:
    """A connection that is reset in the middle leaves no trace in the text."""
    with (
        StandIn(reply=REPLY, faults=[cut_at(3000, "rst")]) as server,
        anthropic.Anthropic(base_url=server.url, api_key="any") as client,
    ):
        assert summary(resilient(client)) == (REPLY, True)
        assert [request.form for request in server.requests] == [
            "fresh",
            "user_turn",
        ]


def test_nothing_is_sent_twice_when_nothing_fails() -> None:
    """A healthy stream is one request."""
    with (
        StandIn(reply=REPLY) as server,
        anthropic.Anthropic(base_url=server.url, api_key="any") as client,
    ):
        assert summary(resilient(client)) == (REPLY, False)
        assert len(server.requests) == 1


if __name__ == "__main__":
    test_the_text_survives_a_reset()
    test_nothing_is_sent_twice_when_nothing_fails()
    print("2 passed")
