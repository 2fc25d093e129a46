"""Words of any language are folded to one form, and their positions in the text are kept."""

from __future__ import annotations

import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.model import folded_words
from migrate.model.folded_words import fold_text, iter_folded_words
from tests.strategies import steady

# Language -> a text, and words that must be found in it, however they are typed.
LANGUAGES = {
    "English": ("The KETTLE's lid isn’t here", ["kettle", "Lid", "isn't"]),
    "Turkish": (
        "Yarın İSTANBUL'a ve Iğdır'a",
        ["istanbul", "İstanbul", "ISTANBUL", "yarin", "ığdır", "igdir"],
    ),
    "French, decomposed": ("cafe\u0301 a\u0300 Nıˆmes", ["café", "CAFE", "à"]),
    "French, composed": ("déjà vu à l'œuvre", ["deja\u0300", "DEJA", "oeuvre", "œuvre"]),
    "German": ("Große Straße, Übergröße", ["strasse", "STRASSE", "Straße", "ubergrosse", "Grosse"]),
    "Danish": ("Rødgrød på Ærø", ["rodgrod", "rødgrød", "pa", "aero", "ÆRØ"]),
    "Polish": ("Zażółć gęślą jaźń w Łodzi", ["zazolc", "ŁODZI", "lodzi", "jazn"]),
    "Vietnamese": ("Tiếng Việt ở Đà Nẵng", ["tieng", "VIỆT", "da nang", "đà"]),
    "Greek": ("Ὀδυσσεύς και ΟΔΥΣΣΕΥΣ", ["οδυσσευς", "οδυσσευσ", "ΟΔΥΣΣΕΎΣ", "Και"]),
    "Russian": ("Ёлка и МОЙ чайник", ["елка", "ёлка", "мои", "ЧАЙНИК"]),
    "Ukrainian": ("м’ята та м'яч", ["мʼята", "м'ята", "М’ЯЧ"]),
    "Hebrew": ("שָׁלוֹם עולם", ["שלום", "שָׁלוֹם", "עולם"]),
    "Arabic": ("كِتَابٌ جـمـيـل إلى أحمد", ["كتاب", "جميل", "احمد", "الى"]),
    "Persian": ("می\u200cخواهم کتاب", ["میخواهم", "کتاب"]),
    "Hindi": ("हिन्दी में क़लम", ["हिन्दी", "क\u093cलम", "क़लम", "में"]),
    "Thai": ("ฉันอยากดื่มน้ำชาร้อน", ["น้ำชา", "ร้อน", "ดื่ม", "ชา"]),
    "Lao": ("ຂ້ອຍຢາກດື່ມນ້ຳ", ["ດື່ມ", "ນ້ຳ"]),
    "Khmer": ("ខ្ញុំចង់ផឹកទឹក", ["ទឹក", "ចង់"]),
    "Burmese": ("ကျွန်တော်ရေသောက်ချင်တယ်", ["ရေ", "သောက်"]),
    "Chinese": ("我想买一个新的水壶，谢谢", ["水壶", "新的", "我", "谢谢"]),
    "Japanese": ("新しいやかんとﾃｨｰﾎﾟｯﾄを買う", ["やかん", "ティーポット", "買う", "新しい"]),
    "Japanese, decomposed": ("か\u3099くせいの本", ["がくせい", "本"]),
    "Korean": ("새 주전자를 샀어요", ["주전자", "전자", "샀어요", "주전자를"]),
    "Korean, decomposed": (
        "\u1109\u1162 \u110c\u116e\u110c\u1165\u11ab\u110c\u1161\u1105\u1173\u11af \u1109\u1161\u11bb",
        ["주전자", "새", "샀"],
    ),
    "full width": ("ＦＵＬＬ　ｗｉｄｔｈ １２３ ﬁle", ["full", "WIDTH", "123", "file"]),
    "symbols": ("well done 👍🏽 👩\u200d💻 1\ufe0f\u20e3 Foo™", ["👍", "👩", "1", "foo", "done 👍"]),
    "soft hyphens and marks": ("extra\u00adordi\u200dnary \u202ertl\u202c", ["extraordinary", "rtl"]),
}


@pytest.mark.parametrize(("text", "words"), LANGUAGES.values(), ids=LANGUAGES.keys())
def test_words_of_a_language_are_found_however_they_are_typed(text: str, words: list[str]) -> None:
    folded = f" {fold_text(text)} "
    for word in words:
        assert fold_text(word), word
        assert f" {fold_text(word)} " in folded, (word, folded)


DIFFERENT = [("かき", "がき"), ("はは", "ぱぱ"), ("कल", "कला"), ("มา", "มี"), ("cat", "cap"), ("mal", "ma1")]


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_what_is_part_of_the_spelling_stays(left: str, right: str) -> None:
    assert fold_text(left) != fold_text(right)


@pytest.mark.parametrize(
    "text", ["a\ue000b", "a\ud800b", "a\x00b", "a\u200bb", "a—b", "a≠b", "a\u2028b", "a_b"]
)
def test_what_is_no_word_separates_words(text: str) -> None:
    assert fold_text(text) == "a b"


# Characters with different behaviour, the unusual ones more often than by chance.
characters = st.sampled_from(
    "aZ9 _-'éßİıøÅﬁ½℃™①ʼｶﾞ한가\u1100\u1161\u11a8か\u3099東ก\u0e33ខ្क\u093cᾳ👍\u200d\u0301\u0345\x00"
)
texts = st.text(characters | st.characters(), max_size=30)


@given(texts)
@steady
def test_words_have_places_and_are_stable(text: str) -> None:
    words = list(iter_folded_words(text))
    folded = fold_text(text)
    assert " ".join(word.word for word in words) == folded
    assert fold_text(folded) == folded
    assert [word.start for word in words] == sorted(word.start for word in words)
    for word in words:
        assert 0 <= word.start < word.end <= len(text)
        assert fold_text(word.word) == word.word


@given(texts, texts)
@steady
def test_a_blank_or_a_separator_joins_nothing(left: str, right: str) -> None:
    assert fold_text(f"{left}\ue000{right}").split() == [*fold_text(left).split(), *fold_text(right).split()]


def test_places_include_the_accents() -> None:
    text = "« cafe\u0301\u0302 » שָׁלוֹם 가\u11a8x"
    found = [(word.word, text[word.start : word.end]) for word in iter_folded_words(text)]
    assert found == [("cafe", "cafe\u0301\u0302"), ("שלום", "שָׁלוֹם"), ("각", "가\u11a8"), ("x", "x")]


@given(
    st.text(st.sampled_from("a\u0915\u093c\u094d\u093e\u0e38\u0e48\u0c55\u0f71\u3099\u0301 "), max_size=80)
)
@steady
def test_long_runs_of_marks_are_composed_as_others(text: str) -> None:
    folded = f"{text}{text[::-1]}".translate(folded_words._FOLDED_CHARACTERS)
    assert folded_words._compose(folded) == unicodedata.normalize("NFC", folded)


@pytest.mark.parametrize("marks", ["\u094d\u093c", "\u0301\u0323", "\u3099\u0e48", "\u093e\u094d\u093c"])
def test_many_marks_take_no_time_that_grows_with_their_square(marks: str) -> None:
    text = f"\u0915{marks * 100_000}"
    began = time.process_time()
    assert " ".join(word.word for word in iter_folded_words(text)) == fold_text(text)
    assert time.process_time() - began < 5  # sorted by Python's own rule: some minutes


def test_every_character_there_is_leaves_little_memory_behind() -> None:
    everything = "".join(map(chr, range(0x3400, 0xA000))) + "".join(map(chr, range(0x20000, 0x28000)))
    assert len(fold_text(everything).split()) == len(everything)
    assert len(folded_words._FOLDED_CHARACTERS) <= folded_words.MAX_REMEMBERED_CHARACTERS
    assert sys.getsizeof(folded_words._FOLDED_CHARACTERS) < 2_000_000
