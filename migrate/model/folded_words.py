"""Text as it is searched: words without regard to case, accents and composition.

One rule for what is indexed, for what is looked for, and for the words that an excerpt marks:

- ASCII: letters in lower case, digits; everything else separates words.
- Any other text: case-folded (`ß` is `ss`, a final sigma a sigma) and decomposed by compatibility (a ligature
  is its letters, a full-width letter the letter). Marks of the combining classes 1, 10 to 36 and from 200 on
  are removed: accents of Latin, Greek and Cyrillic, points of Hebrew, vowel marks of Arabic. All other marks
  stay, because they are part of the spelling: vowel signs of Indic scripts and of Thai, voiced marks of kana.
  The rest is composed again, so that both forms of a Korean syllable are one word.
- Letters that have no decomposition are written as people type them (`LETTERS_AS_TYPED`).
- Scripts without blanks between words, and Korean, whose particles follow without one: each character is a
  word, with the marks that follow it. So a word inside a sentence is found as a phrase.
- A symbol (an emoji) is a word. Characters without a form of their own (joiners, variation selectors, soft
  hyphens, marks of direction) are left out. Private characters and halves of surrogate pairs separate words.

The classes are those of Unicode as this Python knows it; `FOLDING_VERSION` names them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, groupby
from typing import NamedTuple

# Changes whenever the same text may have other words: the rule above, or the tables of Unicode.
FOLDING_VERSION = f"1 unicode {unicodedata.unidata_version}"


class FoldedWord(NamedTuple):
    """A word as it is searched, and the part of the text that it was made from: `text[start:end]`."""

    word: str
    start: int
    end: int


# Letters without a decomposition, in lower case, and how they are typed where a keyboard does not have them.
LETTERS_AS_TYPED = {
    "ı": "i", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe",
}  # fmt: skip
# Separate words although they are letters: apostrophes, which are also typed as quotation marks. And a space
# without width, although it is a character without a form.
SEPARATING_CHARACTERS = frozenset("\u02bb\u02bc\u02bd\u200b")
# The Arabic stretching line, signs of Arabic in Latin letters that are never typed, and fillers of Korean.
FILLERS = frozenset("\u0640\u02be\u02bf\u115f\u1160\u3164\uffa0")
# Emoji, also those that this Python does not know yet.
EMOJI = range(0x1F000, 0x1FB00)
# Categories whose characters belong to words: letters, marks, numbers, and what no version knows yet.
WORD_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No", "Cn"})
# Scripts in which each character is a word: Thai, Lao, Myanmar, Khmer, Korean, kana, Bopomofo, Han.
ONE_CHARACTER_WORDS = re.compile(
    "[\u0e01-\u0edf\u1000-\u109f\ua9e0-\ua9fe\uaa60-\uaa7f\u1780-\u17e9"
    "\u1100-\u11ff\ua960-\ua97c\uac00-\ud7fb\u3041-\u309f\u30a1-\u30ff\u31f0-\u31ff\U0001aff0-\U0001b16f"
    "\u3105-\u312f\u31a0-\u31bf\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003fffd]"
)
# Second and third letters of a Korean syllable: they become one with what stands before.
JOINING_LETTERS = re.compile("[\u1160-\u11ff\ud7b0-\ud7fb]")
# A text of hostile characters must not fill the memory: so many are remembered.
MAX_REMEMBERED_CHARACTERS = 20_000

# Written beside the characters of these scripts until their words are separated: the end of a character, a
# letter that joins the character before it, and a mark.
_END, _JOIN, _MARK = "\x02", "\x03", "\x04"
_MARKERS = re.compile(f"[{_END}{_JOIN}{_MARK}]")
_WORD = re.compile(f"(?:[^ {_END}{_JOIN}{_MARK}]|{_END}[{_JOIN}{_MARK}]|{_MARK})+")
_ASCII_WORD = re.compile("[a-z0-9]+")
# In folded text only marks are neither letters nor blanks.
_LONG_RUN_OF_MARKS = re.compile(r"[^\w\s]{20,}")


def fold_text(text: str) -> str:
    """The words of a text as they are searched, separated by one blank each."""
    if text.isascii():
        return " ".join(_ASCII_WORD.findall(text.lower()))
    folded = text.translate(_FOLDED_CHARACTERS)
    if _END in folded or _JOIN in folded or _MARK in folded:
        folded = folded.replace(_END + _JOIN, "").replace(_END + _MARK, "")
        folded = folded.replace(_END, " ").replace(_JOIN, " ").replace(_MARK, "")
    return " ".join(_compose(folded).split())


def iter_folded_words(text: str) -> Iterator[FoldedWord]:
    """The words of a text as `fold_text` returns them, each with its place in the text."""
    if text.isascii():
        for match in _ASCII_WORD.finditer(text.lower()):
            yield FoldedWord(match.group(), *match.span())
        return
    pieces = [_FOLDED_CHARACTERS[ord(char)] for char in text]
    ends = list(accumulate(map(len, pieces)))
    for match in _WORD.finditer("".join(pieces)):
        word = _compose(_MARKERS.sub("", match.group()))
        if not word:
            continue
        start, end = bisect_right(ends, match.start()), bisect_right(ends, match.end() - 1) + 1
        while end < len(pieces) and not pieces[end]:  # accents that were removed
            end += 1
        yield FoldedWord(word, start, end)


def _compose(text: str) -> str:
    """The composed form of folded text (NFC). Python sorts marks in a time that grows with the square of
    their number; long runs of them, which no language has, are sorted before."""
    if not unicodedata.is_normalized("NFC", text):
        text = _LONG_RUN_OF_MARKS.sub(lambda match: _sort_marks(match[0]), text)
    return unicodedata.normalize("NFC", text)


def _sort_marks(marks: str) -> str:
    """Marks in their canonical order: by their class, those of one class as they were. A mark of class 0
    stays where it is."""
    groups = groupby(marks, key=lambda mark: unicodedata.combining(mark) > 0)
    return "".join(
        "".join(sorted(group, key=unicodedata.combining) if moves else group) for moves, group in groups
    )


class _FoldedCharacters(dict[int, str]):
    """Code of a character -> what it becomes: letters, nothing, or blanks. Filled when it is used."""

    def __missing__(self, code: int) -> str:
        if len(self) >= MAX_REMEMBERED_CHARACTERS:
            self.clear()
        folded = self[code] = _fold_character(chr(code))
        return folded


_FOLDED_CHARACTERS = _FoldedCharacters()


def _fold_character(char: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    composed = unicodedata.normalize("NFC", "".join(map(_fold_decomposed, decomposed)))
    folded = "".join(map(_with_markers, composed))
    is_apart = _is_symbol(char) or " " in folded.strip()  # of 2½ the words are 2, 1 and 2
    return f" {folded} " if is_apart and folded.strip() else folded


def _fold_decomposed(char: str) -> str:
    """What one decomposed character in lower case becomes."""
    category = unicodedata.category(char)
    if char in LETTERS_AS_TYPED:
        return LETTERS_AS_TYPED[char]
    if char in SEPARATING_CHARACTERS:
        return " "
    if category in ("Cf", "Me") or char in FILLERS or _is_removed(char):
        return ""
    if _is_symbol(char):
        return f" {char} "
    return char if category in WORD_CATEGORIES else " "


def _is_symbol(char: str) -> bool:
    return ord(char) in EMOJI or unicodedata.category(char) == "So"


def _is_removed(char: str) -> bool:
    """Whether it is an accent, a point, or the selector of a form or of a colour of skin."""
    combining, code = unicodedata.combining(char), ord(char)
    selects = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x1F3FB <= code <= 0x1F3FF
    return selects or combining == 1 or 10 <= combining <= 36 or combining >= 200


def _with_markers(char: str) -> str:
    """A folded character; of the scripts in which each one is a word, with what separates words."""
    if JOINING_LETTERS.match(char):
        return f"{_JOIN}{char}{_END}"
    if unicodedata.category(char)[0] == "M":
        return f"{_MARK}{char}{_END}" if ONE_CHARACTER_WORDS.match(char) else char
    return f" {char}{_END}" if ONE_CHARACTER_WORDS.match(char) else char
