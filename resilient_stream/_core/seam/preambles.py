"""Recognises the sentences that models write before they continue, in twenty languages.

An *announcement* says that an interrupted reply continues; it is never part of the reply. A *courtesy* (Sure!
Sorry about that.) may be part of it, so it counts only before an announcement or an echo. Both are tables
with one row for each language: patterns for a whole sentence without its closing sign, in any letter case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

ANNOUNCEMENTS: Final = {
    "en": (
        r"(?:(?:let me|i'?ll|i will|i am|i'm|now|and) )?(?:continu(?:e|ing)|resum(?:e|ing)|"
        r"(?:pick|picking) (?:it |this |things )?(?:back )?up|carry(?:ing)? on)\b.{0,40}?\b"
        r"(?:where (?:i|we|it|you|my|the)\b.{0,40}|from (?:there|here|th(?:at|is|e) (?:point|fragment)).{0,20}|"
        r"left off|cut off|(?:my|the) (?:previous |last |interrupted )?(?:reply|response|answer|message).{0,20})",
        r"here(?:'s| is| are) the (?:rest|remainder|continuation)\b.{0,40}",
    ),
    "de": (
        r"(?:ich |dann )?(?:mache|fahre|setze|schreibe)\b.{0,30}"
        r"\b(?:dort|da|antwort|stelle|unterbrech\w*)\b.{0,30}\b(?:weiter|fort)\b.{0,60}",
        r"(?:hier|nun|jetzt) (?:ist|kommt|folgt) (?:der rest|die fortsetzung)\b.{0,40}",
        r"(?:weiter geht(?:'s| es)|fortsetzung|weiter) (?:ab |an )?(?:der stelle|dort|da|meiner antwort)\b.{0,40}",
    ),
    "fr": (
        r"(?:je )?(?:reprends|continue|poursuis|reprenons|continuons|poursuivons)\b.{0,30}"
        r"(?:là où|où (?:je|nous)|arrêt|interr|ma réponse).{0,40}",
        r"voici (?:la suite|la fin|le reste)\b.{0,30}",
    ),
    "es": (
        r"(?:continúo|sigo|retomo|continuemos|continuando|siguiendo|retomando)\b.{0,30}"
        r"(?:donde (?:lo|la|me|nos|qued)|interr|respuesta).{0,30}",
        r"(?:aquí|acá) (?:está|tienes|va|sigue) (?:el resto|la continuación)\b.{0,30}",
    ),
    "pt": (
        r"(?:continuo|sigo|retomo|vou continuar|continuando|retomando|seguindo)\b.{0,30}"
        r"(?:onde (?:parei|paramos|eu)|interr|resposta).{0,30}",
        r"aqui (?:está|vai|segue) (?:o resto|o restante|a continuação)\b.{0,30}",
    ),
    "it": (
        r"(?:continuo|riprendo|proseguo|riprendiamo|continuiamo)\b.{0,30}"
        r"(?:dove (?:ero|eravamo|mi)|interr|risposta).{0,30}",
        r"ecco (?:il resto|il seguito|la continuazione)\b.{0,30}",
    ),
    "nl": (
        r"(?:ik )?(?:ga|schrijf)\b.{0,30}\b(?:verder|door)\b.{0,10}\b(?:waar|vanaf|met mijn)\b.{0,40}",
        r"hier (?:is|komt|volgt) (?:de rest|het vervolg)\b.{0,30}",
    ),
    "sv": (
        r"(?:jag )?fortsätter\b.{0,10}\b(?:där|från|mitt svar)\b.{0,40}",
        r"här (?:är|kommer) (?:resten|fortsättningen)\b.{0,30}",
    ),
    "pl": (
        r"(?:kontynuuję|kontynuując|wracam)\b.{0,10}\b(?:od (?:miejsca|momentu)|tam|odpowied\w+)\b.{0,40}",
        r"oto (?:reszta|ciąg dalszy|dalsza część)\b.{0,30}",
    ),
    "ru": (
        r"продолж(?:аю|им|у)\b.{0,10}\b(?:с того|с места|там|оттуда|ответ|свой ответ)\b.{0,40}",
        r"вот (?:остальное|остаток|продолжение|оставшаяся часть)\b.{0,30}",
    ),
    "uk": (
        r"продовж(?:ую|имо|у)\b.{0,10}\b(?:з того|з місця|там|звідти|відповідь)\b.{0,40}",
        r"ось (?:решта|продовження)\b.{0,30}",
    ),
    "tr": (r"kaldığım(?:ız)? yerden\b.{0,40}", r"işte (?:devamı|gerisi|kalanı)\b.{0,30}"),
    "id": (
        r"(?:saya )?(?:akan )?(?:melanjutkan|lanjutkan)\b.{0,10}\b(?:dari|jawaban)\b.{0,40}",
        r"berikut (?:adalah )?(?:lanjutan|kelanjutan|sisa)\w*\b.{0,30}",
    ),
    "vi": (
        r"(?:tôi (?:xin )?)?tiếp tục\b.{0,10}\b(?:từ (?:chỗ|nơi|đoạn)|câu trả lời)\b.{0,40}",
        r"đây là phần (?:còn lại|tiếp theo)\b.{0,30}",
    ),
    "hi": (r".{0,6}जहाँ.{0,20}(?:रुका|रुकी|छोड़ा|छूटा).{0,40}", r"(?:यह रहा|यहाँ है) (?:बाकी|शेष).{0,30}"),
    "ar": (
        r"(?:أتابع|سأتابع|أكمل|سأكمل|نتابع|استكمال|متابعة).{0,6}(?:من حيث|الرد|الإجابة).{0,40}",
        r"(?:إليك|هذه) (?:البقية|بقية|التتمة|تتمة).{0,30}",
    ),
    "he": (
        r"(?:אני )?(?:ממשיך|ממשיכה|אמשיך|נמשיך) .{0,6}(?:מהמקום|מהנקודה|מאיפה|את התשובה).{0,40}",
        r"הנה (?:ההמשך|השאר|המשך התשובה).{0,30}",
    ),
    "zh": (
        r"(?:我|让我|讓我|我们|下面)?(?:来|將|将)?(?:从|從|接着|接著|继续|繼續|接).{0,4}"
        r"(?:上文|上面|上次|之前|刚才|剛才|中断|中斷|断开|斷開|回答|回复|回覆).{0,20}",
        r"以下(?:是|为|為)?(?:剩余|其余|后续|剩餘|其餘|後續).{0,12}",
    ),
    "ja": (
        r".{0,10}(?:中断|途切れ|先ほど|前回|回答).{0,14}(?:続け|続き).{0,14}",
        r"(?:以下(?:は|が)?|では、?)(?:続き|残り).{0,10}",
    ),
    "ko": (
        r".{0,12}(?:중단|끊긴|끊어진|멈춘|이전 답변).{0,12}(?:이어|계속).{0,20}",
        r"(?:다음은 )?나머지(?: 부분| 내용)?입니다.{0,6}",
    ),
}
"""By language: sentences which say that the reply continues."""

COURTESIES: Final = {
    "en": r"sure(?: thing)?|of course|certainly|absolutely|no problem|got it|okay|ok|right|understood|"
    r"(?:let me|i'?ll|i will) (?:just )?(?:continue|resume|go on|carry on|proceed)",
    "de": r"klar|gerne?|natürlich|selbstverständlich|kein problem|alles klar|verstanden",
    "fr": r"bien sûr|d'accord|volontiers|pas de (?:problème|souci)|certainement",
    "es": r"claro|por supuesto|desde luego|sin problema|entendido",
    "pt": r"claro|com certeza|sem problemas?|entendido",
    "it": r"certo|certamente|va bene|nessun problema",
    "nl": r"natuurlijk|zeker|geen probleem|prima",
    "sv": r"självklart|visst|absolut|inga problem",
    "pl": r"jasne|oczywiście|pewnie|nie ma problemu",
    "ru": r"конечно|хорошо|разумеется|понял\w*|без проблем",
    "uk": r"звичайно|звісно|добре",
    "tr": r"elbette|tabii(?: ki)?|tamam",
    "id": r"tentu(?: saja)?|baik(?:lah)?",
    "vi": r"chắc chắn rồi|được rồi|vâng",
    "hi": r"ज़रूर|जरूर|बिल्कुल|ठीक है",
    "ar": r"بالتأكيد|بالطبع|حسنًا|حسنا",
    "he": r"בטח|בוודאי|כמובן|בסדר",
    "zh": r"好的|当然(?:可以)?|當然(?:可以)?|没问题|沒問題",
    "ja": r"はい|もちろん(?:です)?|承知しました|了解(?:です|しました)|失礼しました",
    "ko": r"네|물론(?:입니다|이죠)?|알겠습니다",
}
"""By language: courtesies that are a fixed phrase."""

APOLOGIES: Final = {
    "en": r"(?:i'?m |i am )?(?:so |very |really )?sorry\b|(?:my )?(?:sincere )?apologies\b|i (?:do )?apologi[sz]e\b|"
    r"thanks?\b|forgive me\b|pardon me\b|my mistake\b|oops\b|as an ai\b|"
    r"(?:i can'?t|i cannot|i am unable to|i'm unable to) (?:continue|complete|assist|help)\b",
    "de": r"(?:bitte )?entschuldig\w*|(?:es )?tut mir (?:sehr )?leid|ich bitte um (?:entschuldigung|verzeihung)",
    "fr": r"(?:je suis )?(?:vraiment )?désolée?|(?:toutes )?mes excuses|je m'excuse|excusez-moi",
    "es": r"perdón|disculp[ae]|lo siento|(?:te |le )?pido (?:disculpas|perdón)",
    "pt": r"desculpe?|peço desculpas?|sinto muito|lamento",
    "it": r"scus[ai]|mi (?:dispiace|scuso)|chiedo scusa",
    "nl": r"sorry|(?:mijn )?excuses|het spijt me",
    "sv": r"förlåt|ursäkta|(?:jag )?ber om ursäkt|jag är ledsen",
    "pl": r"(?:bardzo )?przepraszam|wybacz",
    "ru": r"извини(?:те)?|прост(?:и|ите)\b|прошу прощения|приношу извинения",
    "uk": r"вибач(?:те)?|пробач(?:те)?|перепрошую",
    "tr": r"üzgünüm|özür dilerim|kusura bakma\w*",
    "id": r"maaf",
    "vi": r"xin lỗi",
    "hi": r"क्षमा|माफ़",
    "ar": r"عذرًا|عذرا|آسف",
    "he": r"סליחה|מצטער\w*",
    "zh": r"抱歉|对不起|對不起",
    "ja": r"申し訳|すみません",
    "ko": r"죄송합니다|미안합니다",
}
"""By language: courtesies that may go on after these words ("Sorry about that interruption")."""

NOTES: Final = {
    "en": r"(?:to be )?continu(?:ed?|es|ing|ation)(?: (?:from|where|below|here)\b.{0,40})?|cont(?:'?d)?\.?|resum(?:ed|es|ing)|"
    r"(?:interrupted|cut(?: off)?)(?: here)?|note\b.{0,50}|(?:the )?(?:rest|start|beginning)(?: of (?:the |my )?"
    r"(?:reply|answer|response|message|quote|fragment|text))?",
    "de": r"fortsetzung(?: folgt)?|wird fortgesetzt|fortgesetzt|(?:hier )?(?:unterbrochen|abgebrochen)|weiter",
    "fr": r"suite|à suivre|la suite|interrompue?",
    "es": r"continuación|continúa|continuará|interrumpid[oa]",
    "pt": r"continuação|continua|interrompid[oa]",
    "it": r"continuazione|continua|segue|interrotto|interrotta",
    "nl": r"vervolg|vervolgd|wordt vervolgd|onderbroken",
    "sv": r"fortsättning(?: följer)?|fortsätter|avbrutet",
    "pl": r"ciąg dalszy(?: nastąpi)?|cd\.?|kontynuacja|przerwano",
    "ru": r"продолжение(?: следует)?|продолжаю|далее|прервано",
    "uk": r"продовження(?: буде)?|далі|перервано",
    "tr": r"devam(?:ı|ediyor| ediyor)?|kesildi",
    "id": r"lanjutan|berlanjut|bersambung|terputus",
    "vi": r"tiếp(?: tục| theo)?|còn tiếp|bị ngắt",
    "hi": r"जारी|आगे जारी",
    "ar": r"تابع|يتبع|تتمة",
    "he": r"המשך(?: יבוא)?|ממשיך",
    "zh": r"续|續|接上文|继续|繼續|续上|未完待续|待续|待續",
    "ja": r"続き|続く|つづく|中断",
    "ko": r"계속|이어서|중단됨",
}
"""By language: notes in brackets or between dashes that mark a text as continued or interrupted."""

_ENDS: Final = (
    r"(?:the )?end(?: of (?:the |my )?(?:reply|answer|response|message|quote|fragment|text))?|ende|fin|fim|fine|einde|"
    r"slut|koniec|конец|кінець|son|selesai|hết|समाप्त|انتهى|סוף|完|終わり|끝"
)
"""Notes that mark the end of a text. They may also be the title of its last chapter."""

_IDEOGRAPHS: Final = ("zh", "ja", "ko")
_TAILS: Final = (r"[^.!?:\n]{0,40}+", r"[^\u3002\uff01\uff1f\n]{0,20}+")
"""What may follow the first words of an apology. The second pattern is for ideographs, which need fewer
characters."""

_PAUSES: Final = frozenset(",.! \u2014:\u060c\uff0c\u3002\uff01\u3001-")
"""Signs that separate a courtesy from what follows it."""

_OPENING: Final = re.compile(r"[\s*_(\[\u2014\u2026.]*")
_CLOSING: Final = re.compile(r"[\s*_)\].!\u2026:\uff1a\u3002\uff01\u2014,\u060c\uff0c\u3001-]*")


# The patterns are compiled at the first seam. It takes milliseconds, which most programs never need.


@cache
def _announcement() -> re.Pattern[str]:
    rows = "|".join(row for rows in ANNOUNCEMENTS.values() for row in rows)
    return re.compile(f"(?:{rows}){_CLOSING.pattern}", re.IGNORECASE)


@cache
def _courtesy() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row})" for row in COURTESIES.values()), re.IGNORECASE)


@cache
def _apologies() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    """The patterns for apologies, each with the pattern for what may follow: without and with ideographs."""
    return tuple(
        (
            re.compile(
                "|".join(row for language, row in APOLOGIES.items() if (language in _IDEOGRAPHS) == dense),
                re.IGNORECASE,
            ),
            re.compile(_TAILS[dense]),
        )
        for dense in (False, True)
    )


@cache
def _note(*, title: bool) -> re.Pattern[str]:
    rows = [*NOTES.values(), *(row for each in ANNOUNCEMENTS.values() for row in each)]
    said = "|".join(rows if title else [*rows, _ENDS])
    return re.compile(rf"[\s.\u2026:]*(?:{said})[\s.\u2026:!]*", re.IGNORECASE)


def is_note(words: str, *, title: bool = False) -> bool:
    """Whether a note says nothing but that a text is interrupted, continued or over.

    Args:
        words: the words in the brackets, or the title.
        title: whether the words are a title. "The End" is a note in brackets, but may be a chapter's title.
    """
    if _note(title=title).fullmatch(words):
        return True
    return greets(words) and (not words[:1].islower() or apologises(words))


def apologises(sentence: str) -> bool:
    """Whether a sentence begins with an apology or thanks."""
    return any(apology.match(sentence) for apology, _ in _apologies())


def announces(sentence: str) -> bool:
    """Whether a sentence says nothing but that the reply continues, behind any number of courtesies.

    The courtesies are not matched by one pattern. It would try every way to divide "Sorry, sorry, sorry" into
    courtesies and what follows them, which would take seconds.
    """
    return any(_announcement().fullmatch(sentence, at) for at in _behind_courtesies(sentence))


def greets(sentence: str) -> bool:
    """Whether a sentence is nothing but a courtesy."""
    opened = _OPENING.match(sentence)
    return opened is not None and any(
        _CLOSING.fullmatch(sentence, end) for end in _courtesy_ends(sentence, opened.end())
    )


def _behind_courtesies(sentence: str) -> Iterator[int]:
    """The places in a sentence where an announcement may begin: at its beginning and behind courtesies."""
    opened = _OPENING.match(sentence)
    reached = set(range(opened.end() + 1)) if opened else set[int]()
    for at in range(len(sentence)):
        if at in reached:
            yield at
            for end in _courtesy_ends(sentence, at):
                while sentence[end : end + 1] and sentence[end] in _PAUSES and end + 1 not in reached:
                    end += 1  # noqa: PLW2901 -- a run of pauses, each of which may be the last
                    reached.add(end)


def _courtesy_ends(sentence: str, at: int) -> Iterator[int]:
    """The places where a courtesy that begins at ``at`` may end."""
    if courtesy := _courtesy().match(sentence, at):
        yield courtesy.end()
    for apology, tail in _apologies():
        if (found := apology.match(sentence, at)) and (rest := tail.match(sentence, found.end())):
            yield from range(found.end(), rest.end() + 1)
