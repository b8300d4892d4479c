"""Manners that write a sentence of their own first, in the languages of users."""

from __future__ import annotations

from typing import Final

from .echoes import Manner, echo, no_echo

PREAMBLE: Final = "Continuing from where I left off:\n\n"

PREAMBLES: Final = {
    "en_sure": "Sure! Here is the rest of the answer:\n\n",
    "en_sorry": "Sorry about the interruption. Let me pick up where I left off.\n\n",
    "en_line": "Certainly, I'll continue from that point: ",
    "de": "Natürlich! Ich mache dort weiter, wo ich unterbrochen wurde:\n\n",
    "fr": "Bien sûr, je reprends là où je m'étais arrêté :\n\n",
    "es": "Claro, continúo donde lo dejé:\n\n",
    "pt": "Claro! Continuando de onde parei:\n\n",
    "it": "Certo, riprendo da dove ero rimasto:\n\n",
    "nl": "Natuurlijk, ik ga verder waar ik gebleven was:\n\n",
    "sv": "Självklart, jag fortsätter där jag slutade:\n\n",
    "pl": "Oczywiście, kontynuuję od miejsca, w którym przerwałem:\n\n",
    "ru": "Конечно, продолжаю с того места, где остановился:\n\n",
    "uk": "Звичайно, продовжую з того місця, де зупинився:\n\n",
    "tr": "Elbette, kaldığım yerden devam ediyorum:\n\n",
    "id": "Tentu, saya lanjutkan dari bagian terakhir:\n\n",
    "vi": "Xin lỗi, tôi xin tiếp tục từ chỗ bị ngắt:\n\n",
    "hi": "ज़रूर, मैं जहाँ रुका था वहीं से आगे बढ़ता हूँ:\n\n",
    "ar": "بالتأكيد، سأكمل من حيث توقفت:\n\n",
    "he": "בוודאי, אני ממשיך מהמקום שבו הפסקתי:\n\n",
    "zh": "好的，我从刚才中断的地方继续：\n\n",
    "ja": "承知しました。中断したところから続けます。\n\n",
    "ko": "네, 끊긴 부분부터 이어서 작성하겠습니다.\n\n",
}
"""By language: the sentence, and the white space behind it."""


def preamble(answer: str, received: str, quote: str) -> str:
    """Writes a sentence of its own, then echoes."""
    return PREAMBLE + echo(answer, received, quote)


def preamble_no_echo(answer: str, received: str, quote: str) -> str:
    """Writes a sentence of its own, then goes on without the quote."""
    return PREAMBLE + no_echo(answer, received, quote)


def unknown_preamble(answer: str, received: str, quote: str) -> str:
    """Writes a sentence that no list contains, then echoes."""
    return "Oh dear, that was rude of the network! On with the show:\n\n" + echo(answer, received, quote)


def preamble_and_fence(answer: str, received: str, quote: str) -> str:
    """Writes a sentence of its own, then repeats the quote in a code fence and goes on."""
    return f"{PREAMBLE}```\n{quote}\n```\n" + no_echo(answer, received, quote)


def unknown_preamble_restart(answer: str, received: str, quote: str) -> str:
    """Writes a sentence that no list contains, then begins the whole answer again."""
    return "Oh dear, that was rude of the network! From the top:\n\n" + answer


def marker_no_echo(answer: str, received: str, quote: str) -> str:
    """Opens the request's marker, then goes on without the quote."""
    return "<<<\n" + no_echo(answer, received, quote)


def dots_no_echo(answer: str, received: str, quote: str) -> str:
    """Writes an ellipsis, then goes on without the quote."""
    return "\u2026" + no_echo(answer, received, quote)


def _in(sentence: str, then: Manner) -> Manner:
    return lambda answer, received, quote: sentence + then(answer, received, quote)


ALL: Final[dict[str, Manner]] = {
    "preamble": preamble,
    "preamble_no_echo": preamble_no_echo,
    "preamble_and_fence": preamble_and_fence,
    "unknown_preamble": unknown_preamble,
    "unknown_preamble_restart": unknown_preamble_restart,
    "marker_no_echo": marker_no_echo,
    "dots_no_echo": dots_no_echo,
    **{f"preamble_{name}": _in(sentence, echo) for name, sentence in PREAMBLES.items()},
    **{f"preamble_{name}_no_echo": _in(sentence, no_echo) for name, sentence in PREAMBLES.items()},
}
