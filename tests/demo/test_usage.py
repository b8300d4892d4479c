from resilient_stream._demo.usage import UsageError


def test_it_says_what_it_was_given() -> None:
    """The text is for the user."""
    assert str(UsageError("not like this")) == "not like this"
