"""The words of Croissant stand for what the specification says."""

from sthelar_build.schema.croissant import CONFORMS_TO, CONTEXT, ENCODINGS, REQUIRED


def test_every_word_of_the_context_is_croissant_dublin_core_or_schema_org():
    assert CONTEXT["@vocab"] == CONTEXT["sc"] == "https://schema.org/"
    words = {
        k: v["@id"] if isinstance(v, dict) else v
        for k, v in CONTEXT.items()
        if not k.startswith("@")
    }
    assert words.pop("conformsTo") == "dct:conformsTo"
    for word, meaning in words.items():
        assert meaning.startswith("http") or meaning == f"cr:{word}", word


def test_the_version_and_what_it_requires():
    assert CONFORMS_TO == "http://mlcommons.org/croissant/1.0"
    assert set(REQUIRED) == {"name", "description", "license", "url", "creator", "datePublished"}


def test_media_types_have_two_parts():
    assert all(
        kind.count("/") == 1 and suffix.startswith(".") for suffix, kind in ENCODINGS.items()
    )
