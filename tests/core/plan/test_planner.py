"""From what the consumer has to the next request."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from resilient_stream._core.failures import OVERLOAD_KINDS, Failure, Kind, Phase
from resilient_stream._core.plan.planner import Blocked, FinishHere, Form, Plan, Planner, Step
from resilient_stream._core.plan.prompts import CONTINUE, all_words
from resilient_stream._core.seam.joined import Asked
from resilient_stream._core.turn.transcript import Block, Turn
from resilient_stream._core.wire.events import Event
from tests.support.contents import CALL, CITED, CODE, FOUND, RAN, SEARCH, THOUGHT, text
from tests.support.machines import REQUEST
from tests.support.settings import settings_with
from tests.support.streams import MODERN, PREFILLED, Json

WORDS = all_words(CONTINUE)
LONG = "These are the words that came before the connection dropped and was gone."


def planner(request: Json = REQUEST, refused: set[tuple[str, Step]] | None = None, **fields: Any) -> Planner:
    """A planner for a request."""
    return Planner(request, settings_with(**fields), set() if refused is None else refused)


def turn(*blocks: Json, cut: str = "") -> Turn:
    """Complete blocks, and a text that was cut."""
    made = [Block(one, closed=True) for one in blocks]
    return Turn(message={}, blocks=[*made, *([Block(text(cut))] if cut else [])])


def planned(made: Planner, before: Turn) -> Plan:
    """The request that follows, which there is; the user's own is not touched."""
    request = copy.deepcopy(made.request)
    plan = made.plan(before)
    assert made.request == request
    assert isinstance(plan, Plan)
    return plan


def body(made: Planner, before: Turn) -> Json:
    """The body of that request."""
    plan = planned(made, before)
    assert plan.body is not None
    return dict(plan.body)


PREFILL = REQUEST | {"model": PREFILLED}


@pytest.mark.parametrize(
    ("request_", "fields", "form"),
    [
        (PREFILL, {}, Form.PREFILL),
        (REQUEST, {}, Form.USER_TURN),
        (PREFILL | {"thinking": {"type": "enabled", "budget_tokens": 1024}}, {}, Form.USER_TURN),
        (PREFILL | {"tools": [{"name": "a"}]}, {}, Form.USER_TURN),
        (PREFILL, {"continuation": "user_turn"}, Form.USER_TURN),
        (REQUEST, {"continuation": "prefill"}, Form.PREFILL),
        (REQUEST | {"model": "opaque"}, {}, Form.USER_TURN),
    ],
)
def test_prefill_only_where_it_is_known_to_work(request_: Json, fields: Json, form: Form) -> None:
    """Known models, no thinking, no tools; unless the policy says which."""
    plan = planned(planner(request_, **fields), turn(cut=LONG))
    assert plan.form is form
    assert plan.hide_thinking is (form is Form.USER_TURN)
    assert plan.continues


def test_a_prefill_ends_in_the_partial_without_its_white_space() -> None:
    """Which is remembered, because the consumer has it."""
    plan = planned(planner(PREFILL), turn(cut=LONG + " \n"))
    assert plan.body is not None
    assert plan.body["messages"] == [*PREFILL["messages"], {"role": "assistant", "content": [text(LONG)]}]
    assert plan.asked == Asked("", " \n", text=LONG)


def test_a_user_turn_quotes_the_end() -> None:
    """Between markers, in the user's voice, and never in the system prompt."""
    plan = planned(planner(), turn(cut=LONG + "\n"))
    assert plan.body is not None
    partial, question = plan.body["messages"][1:]
    assert partial == {"role": "assistant", "content": [text(LONG)]}
    assert question["role"] == "user"
    assert plan.asked is not None
    assert f"\n{plan.asked.quote}\n" in question["content"]
    assert LONG.endswith(plan.asked.quote)
    assert (plan.asked.space, plan.asked.whole) == ("\n", False)
    assert plan.body["system"] is REQUEST["system"]


def test_only_appended() -> None:
    """Every field but messages and max_tokens is the very same object, and the messages begin as they were."""
    request: Json = PREFILL | {
        "tools": [],
        "metadata": {"user_id": "u"},
        "cache_control": {},
        "service_tier": "auto",
    }
    for made in (planner(request), planner(request | {"model": MODERN})):
        sent = body(made, turn(THOUGHT, cut=LONG))
        messages: Any = request["messages"]
        assert sent["messages"][:1] == messages
        assert sent["messages"][0] is messages[0]
        for name in set(sent) - {"messages", "max_tokens", "model"}:
            assert sent[name] is request[name]


def test_too_little_to_quote_asks_for_the_whole_again() -> None:
    """Beginning with exactly what was received, and with no tokens taken away but for what the input grew by."""
    plan = planned(planner(), turn(cut="  Just a few words "))
    assert plan.asked == Asked("Just a few words", " ", whole=True, text="  Just a few words", wordings=WORDS)
    assert plan.body is not None
    assert "the whole reply again" in plan.body["messages"][-1]["content"]
    assert REQUEST["max_tokens"] - 200 < plan.body["max_tokens"] < REQUEST["max_tokens"]
    short_behind_more = planned(planner(), turn(SEARCH, FOUND, cut="Few."))
    assert short_behind_more.asked == Asked("Few.", "", whole=False, text="Few.", wordings=WORDS)


@pytest.mark.parametrize(("length", "quoted"), [(40, 41), (80, 81), (200, 201)])
def test_the_length_of_the_quote_is_the_policys(length: int, quoted: int) -> None:
    """It comes as close to it as a word's beginning allows."""
    plan = planned(planner(quote_length=length), turn(cut="word " * 100))
    assert plan.asked is not None
    assert abs(len(plan.asked.quote) - quoted) <= 5


def test_the_template_is_the_policys() -> None:
    """For both wordings."""
    made = planner(continuation_template="Again: {quote}!")
    for said in (LONG, "Few."):
        content = body(made, turn(cut=said))["messages"][-1]["content"]
        assert content.startswith("Again: <<<\n")
        assert content.endswith("\n>>>!")


def test_without_text_at_the_end_nothing_is_quoted() -> None:
    """A new block, no seam."""
    plan = planned(planner(), turn(text(LONG), SEARCH, FOUND))
    assert (plan.form, plan.asked, plan.hide_thinking) == (Form.USER_TURN, None, True)
    assert plan.body is not None
    assert plan.body["messages"][-1]["content"] == CONTINUE.unquoted
    assert planned(planner(continuation="prefill"), turn(text(LONG), SEARCH, FOUND)).asked is None


@pytest.mark.parametrize("sequences", [["END"], ["x" * 60, "y"], ["x" * 119], None])
def test_the_quote_covers_the_longest_stop_sequence(sequences: list[str] | None) -> None:
    """A stop sequence is never cut in two by the seam."""
    plan = planned(planner(REQUEST | {"stop_sequences": sequences}), turn(cut=" ".join([LONG] * 4)))
    assert plan.asked is not None
    assert max(40, *map(len, sequences or [""])) <= len(plan.asked.quote) <= 120


@pytest.mark.parametrize("form", ["prefill", "user_turn"])
@pytest.mark.parametrize(
    ("begun", "content"),
    [
        ("Here it is: ", [text("Here it is: " + LONG)]),
        (
            [text("Here it is: ") | {"cache_control": {}}],
            [text("Here it is: " + LONG) | {"cache_control": {}}],
        ),
        ([CITED], [CITED, text(LONG)]),
        ([SEARCH, FOUND], [SEARCH, FOUND, text(LONG)]),
        ([], [text(LONG)]),
    ],
)
def test_a_turn_already_begun_is_extended(form: str, begun: Any, content: list[Json]) -> None:
    """In both forms: the user's own prefill, or a paused turn, is not doubled."""
    request = REQUEST | {"messages": [*REQUEST["messages"], {"role": "assistant", "content": begun}]}
    sent = body(planner(request, continuation=form), turn(cut=LONG))
    assert sent["messages"][1] == {"role": "assistant", "content": content}
    assert len(sent["messages"]) == 2 + (form == "user_turn")


def test_citations_are_not_melted_into_a_prefill() -> None:
    """A cited text stays a block of its own."""
    request = REQUEST | {"messages": [*REQUEST["messages"], {"role": "assistant", "content": "So: "}]}
    sent = body(planner(request), turn(CITED))
    assert sent["messages"][1]["content"] == [text("So: "), CITED]


def paused(*blocks: Json) -> Json:
    """A request that goes on with a paused turn."""
    return REQUEST | {"messages": [*REQUEST["messages"], {"role": "assistant", "content": list(blocks)}]}


def test_a_paused_turn_goes_on_once_it_has_its_result() -> None:
    """The result is kept behind its use."""
    sent = body(planner(paused(SEARCH)), turn(FOUND, cut=LONG))
    assert sent["messages"][1]["content"] == [SEARCH, FOUND, text(LONG)]


def test_a_pending_tool_means_restart_if_that_may_be() -> None:
    """By the rule for tools with side effects; past one without its result nothing goes on."""
    assert planned(planner(paused(SEARCH)), Turn()).form is Form.RESTART
    assert isinstance(planner(paused(CODE)).plan(Turn()), Blocked)
    assert planned(planner(paused(CODE), rerun_server_tools=True), Turn()).form is Form.RESTART
    assert planned(planner(paused(CODE)), turn(RAN, cut=LONG)).form is Form.USER_TURN
    assert isinstance(planner(paused(SEARCH)).plan(turn(cut=LONG)), Blocked)


def test_nothing_worth_keeping_is_a_restart() -> None:
    """The same request again; its thinking is hidden once signed thinking was handed over."""
    assert planned(planner(), Turn()) == Plan(Form.RESTART)
    assert planned(planner(), turn(THOUGHT | {"signature": ""})) == Plan(Form.RESTART)
    assert planned(planner(), turn(THOUGHT)) == Plan(Form.RESTART, hide_thinking=True)
    assert not planned(planner(), Turn()).continues


@pytest.mark.parametrize(
    ("request_", "fields", "before"),
    [
        (REQUEST, {"continuation": "never"}, turn(cut=LONG)),
        (REQUEST, {"continuation": "restart_only"}, turn(cut=LONG)),
        (REQUEST | {"thread": {"type": "create"}}, {}, turn(cut=LONG)),
        (REQUEST | {"output_config": {"format": {"type": "json_schema"}}}, {}, turn(cut=LONG)),
        (REQUEST | {"output_format": {"type": "json_schema"}}, {}, turn(cut=LONG)),
        (REQUEST | {"tool_choice": {"type": "any"}}, {}, turn(cut=LONG)),
        (REQUEST | {"tool_choice": {"type": "tool", "name": "a"}}, {}, turn(cut=LONG)),
        (REQUEST, {}, turn(CODE, cut=LONG)),
        (REQUEST, {}, turn(CALL | {"caller": {"type": "code_execution_20260120"}})),
    ],
)
def test_some_turns_cannot_go_on(request_: Json, fields: Json, before: Turn) -> None:
    """With a reason that says why."""
    plan = planner(request_, **fields).plan(before)
    assert isinstance(plan, Blocked)
    assert plan.reason


def test_a_restart_needs_no_way_to_go_on() -> None:
    """Structured output and forced tools are replayed as long as nothing was handed over."""
    for request in (REQUEST | {"output_config": {"format": {}}}, REQUEST | {"tool_choice": {"type": "any"}}):
        assert planned(planner(request, continuation="restart_only"), Turn()).form is Form.RESTART


@pytest.mark.parametrize("caller", [None, {"type": "direct"}, {}, "odd"])
def test_complete_calls_settle_the_turn(caller: Any) -> None:
    """No request is made."""
    assert isinstance(planner().plan(turn(text(LONG), CALL | {"caller": caller})), FinishHere)


def test_a_call_made_by_code_needs_its_container() -> None:
    """Its id, as far as it was told."""
    before = turn(CALL | {"caller": {"type": "code_execution_20260120", "tool_id": "x"}})
    for container, settles in [
        (None, False),
        ({}, False),
        ("odd", False),
        ({"id": 1}, False),
        ({"id": "c"}, True),
    ]:
        before.apply(Event.of({"type": "message_start", "message": {"container": container}}))
        assert isinstance(planner().plan(before), FinishHere) is settles
    late = turn(CALL | {"caller": {"type": "code_execution_20260120", "tool_id": "x"}})
    late.apply(Event.of({"type": "message_delta", "delta": {"container": {"id": "c"}}}))
    assert isinstance(planner().plan(late), FinishHere)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (None, "c"),
        ("mine", "mine"),
        ({"skills": [1]}, {"id": "c", "skills": [1]}),
        ({"id": "mine"}, {"id": "mine"}),
    ],
)
def test_code_goes_on_in_its_container(given: Any, sent: Any) -> None:
    """A continuation names it, if its id was told; one that is refused is tried without it, and nothing else
    is held against the model."""
    before = turn(CODE, RAN, cut=LONG)
    refused: set[tuple[str, Step]] = set()
    request = REQUEST if given is None else REQUEST | {"container": given}
    assert body(planner(request), before).get("container") == given
    before.container = "c"
    made = planner(request, refused)
    assert body(made, before)["container"] == sent
    without = made.below(planned(made, before), "", before)
    assert (without is None) is (sent == given), "the same request is not sent twice"
    if without is not None and without.body is not None:
        assert without.body.get("container") == given
        made.accepted()
        assert refused == set()


def test_never_ends_no_turn_either() -> None:
    """A policy that only watches hands over what came, complete calls or not."""
    plan = planner(REQUEST, continuation="never").plan(turn(text(LONG), CALL))
    assert isinstance(plan, Blocked)


def below(made: Planner, rejected: Plan, before: Turn, said: str = "") -> Plan:
    """What is sent after a rejection, which there is."""
    plan = made.below(rejected, said, before)
    assert plan is not None
    return plan


def test_a_refused_step_is_left() -> None:
    """Prefill, user turn, user turn without thinking, and then nothing."""
    made, before = planner(PREFILL), turn(THOUGHT, cut=LONG)
    prefill = planned(made, before)
    user_turn = below(made, prefill, before)
    assert user_turn.body is not None
    assert (prefill.form, user_turn.form) == (Form.PREFILL, Form.USER_TURN)
    assert user_turn.body["messages"][1]["content"][0] == THOUGHT
    last = below(made, user_turn, before)
    assert last.body is not None
    assert last.body["messages"][1]["content"] == [text(LONG)]
    assert made.below(last, "", before) is None
    unthinking = planner(PREFILL)
    assert unthinking.below(below(unthinking, prefill, turn(cut=LONG)), "", turn(cut=LONG)) is None


def test_a_step_is_refused_once_a_lower_one_was_accepted() -> None:
    """Other streams of the client begin where this one ended; a rejection alone teaches them nothing."""
    refused: set[tuple[str, Step]] = set()
    made, before = planner(PREFILL, refused), turn(THOUGHT, cut=LONG)
    user_turn = below(made, planned(made, before), before)
    assert planned(planner(PREFILL, refused), before).form is Form.PREFILL
    below(made, user_turn, before)
    assert refused == set()
    made.accepted()
    assert refused == {(PREFILLED, Step.PREFILL), (PREFILLED, Step.USER_TURN)}
    assert body(planner(PREFILL, refused), before)["messages"][1]["content"] == [text(LONG)]
    assert planned(planner(PREFILL | {"model": "claude-haiku-4-5"}, refused), before).form is Form.PREFILL


def test_what_another_model_accepts_teaches_nothing() -> None:
    """Of the one that was left."""
    refused: set[tuple[str, Step]] = set()
    made, before = planner(PREFILL, refused, fallback_models=({"model": "b"},)), turn(cut=LONG)
    below(made, planned(made, before), before)
    assert made.fall_back()
    made.accepted()
    assert refused == set()


def test_what_no_form_would_change_is_not_asked_again() -> None:
    """By the API's own words; and what is said of two forms alike is about neither."""
    for said in ("Your credit balance is too low", "prompt is too long: 200001 tokens > 200000 maximum"):
        made = planner(PREFILL)
        assert made.below(planned(made, turn(cut=LONG)), said, turn(cut=LONG)) is None
    made, before = planner(PREFILL), turn(THOUGHT, cut=LONG)
    user_turn = below(made, planned(made, before), before, "Nope.")
    assert made.below(user_turn, "Nope.", before) is None
    assert below(made, user_turn, before, "Not even so.").form is Form.USER_TURN


def test_there_is_no_step_below_some_forms() -> None:
    """A restart is the user's own request, and a policy that wants prefill wants nothing else."""
    for form in (Form.RESTART, Form.FIRST):
        assert planner().below(Plan(form), "", turn(cut=LONG)) is None
    wanted = planner(continuation="prefill")
    assert wanted.below(planned(wanted, turn(cut=LONG)), "", turn(cut=LONG)) is None


def test_max_tokens_is_reduced_if_the_policy_says_so() -> None:
    """By all visible text and by no thinking; not where thinking had used all of it up, nor where there is none."""
    before = turn(THOUGHT | {"thinking": "x" * 6000}, text("a" * 600), SEARCH, FOUND, cut="b" * 600)
    request = PREFILL | {"max_tokens": 4096}
    assert 4096 - 400 < body(planner(request), before)["max_tokens"] < 4096 - 200
    assert 4096 - 600 < body(planner(request, continuation="user_turn"), before)["max_tokens"] < 4096 - 300
    assert body(planner(request, max_tokens="keep"), before)["max_tokens"] == 4096
    grudging = planner(request)
    grudging.grudging = True
    assert body(grudging, before)["max_tokens"] == 4096
    for odd in (None, "many", 0, True):
        assert body(planner(request | {"max_tokens": odd}), before)["max_tokens"] == odd
    small = planner(request, fallback_models=({"model": "b", "max_tokens": 100},))
    assert small.fall_back()
    assert body(small, before)["max_tokens"] == 100


def test_what_has_reached_max_tokens_is_ended() -> None:
    """Whatever the failure, whatever else could be done; not under a policy that keeps it or never ends anything."""
    before = turn(text("a" * 2000), cut="b" * 2000)
    ended = FinishHere("max_tokens", "no stop reason came, but what was written has reached max_tokens")
    others: list[Json] = [{}, {"output_config": {"format": {}}}, {"tool_choice": {"type": "any"}}]
    for more in others:
        assert planner(REQUEST | {"max_tokens": 800} | more).plan(before) == ended
    assert planner(REQUEST | {"max_tokens": 800}, continuation="restart_only").plan(before) == ended
    assert isinstance(planner(REQUEST | {"max_tokens": 1000}).plan(before), Plan)
    assert isinstance(planner(REQUEST | {"max_tokens": 800}, max_tokens="keep").plan(before), Plan)
    assert isinstance(planner(REQUEST | {"max_tokens": 800}, continuation="never").plan(before), Blocked)
    grudging = planner(REQUEST | {"max_tokens": 1100})
    assert isinstance(grudging.plan(before), Plan)
    grudging.grudging = True
    assert grudging.plan(before) == ended


def test_another_model_is_asked_when_the_first_stays_overloaded() -> None:
    """After two overloads in a row, in order, with what the model does not know taken out."""
    request = REQUEST | {"speed": "fast", "thinking": {"type": "between_tools"}}
    made = planner(request, fallback_models=({"model": "b"}, {"model": PREFILLED, "max_tokens": 100}))
    made.note(Failure(Kind.OVERLOADED, Phase.BODY))
    made.note(Failure(Kind.RESET, Phase.BODY))
    made.note(Failure(Kind.RATE_LIMITED, Phase.BODY))
    assert made.model == MODERN
    assert made.restart == Plan(Form.RESTART)
    made.note(Failure(Kind.OVERLOADED, Phase.BODY))
    assert made.model == "b"
    plan = planned(made, Turn())
    assert (plan.form, plan.continues) == (Form.RESTART, False)
    assert plan.body == REQUEST | {"model": "b", "thinking": {"type": "disabled"}}
    assert body(made, turn(THOUGHT, cut=LONG))["messages"][1]["content"] == [text(LONG)]
    assert made.fall_back()
    assert not made.fall_back()
    assert made.base["max_tokens"] == 100
    assert planned(made, turn(cut=LONG)).form is Form.PREFILL
    made.note(Failure(Kind.OVERLOADED, Phase.BODY))
    made.note(Failure(Kind.OVERLOADED, Phase.BODY))
    assert made.model == PREFILLED


@pytest.mark.parametrize("kind", sorted(OVERLOAD_KINDS | {Kind.RESET}))
def test_a_model_that_asks_for_too_much_patience_is_left_at_once(kind: Kind) -> None:
    """Where it is the model that is overloaded or limited; never past the last one, nor for a wait that is bearable."""
    busy = kind in (Kind.OVERLOADED, Kind.RATE_LIMITED)
    made = planner(fallback_models=({"model": "b"},), retry_after_max=20.0)
    assert not made.note(Failure(kind, Phase.HEADERS, retry_after=20.0))
    made.overloads = 0
    assert made.note(Failure(kind, Phase.HEADERS, retry_after=20.1)) is busy
    assert made.model == ("b" if busy else MODERN)
    assert made.note(Failure(kind, Phase.HEADERS, retry_after=20.1)) is False


def test_a_pinned_conversation_starts_on_its_model() -> None:
    """The first request goes to the pinned entry, its own thinking is kept, and only later entries follow."""
    entries = ({"model": "b"}, {"model": "c", "max_tokens": 9}, {"model": "d"})
    made = Planner(REQUEST, settings_with(fallback_models=entries), pinned="c")
    assert made.first == Plan(Form.FIRST, REQUEST | {"model": "c", "max_tokens": 9})
    assert THOUGHT in body(made, turn(THOUGHT, cut=LONG))["messages"][-2]["content"]
    assert made.fall_back()
    assert made.model == "d"
    assert THOUGHT not in body(made, turn(THOUGHT, cut=LONG))["messages"][-2]["content"]
    assert not made.fall_back()


@pytest.mark.parametrize("pinned", [None, MODERN, "gone"])
def test_a_pin_that_is_no_fallback_changes_nothing(pinned: str | None) -> None:
    """The first model, or one that the policy no longer names: the user's own request is sent."""
    made = Planner(REQUEST, settings_with(fallback_models=({"model": "b"},)), pinned=pinned)
    assert (made.first, made.model) == (Plan(Form.FIRST), MODERN)
