"""Look at the raw files of a slide before any work is done: what is there, and what is wrong, in plain words.

What makes a run impossible stops here, in one line; what a person should know stands under ``problems``.
"""

from __future__ import annotations

import logging
from typing import Annotated

from sthelar_build.core.raw_words import raw_words
from sthelar_build.io.provenance import provenance
from sthelar_build.io.raw_checks import LOOKS, Findings, RawFiles
from sthelar_build.io.records import write_record
from sthelar_build.io.xenium.bundle import SPECIFICATION
from sthelar_build.options import InFile, MaybeInFile, MaybeInFiles, OutFile, Word, as_json
from sthelar_build.settings.preflight import PreflightSettings

logger = logging.getLogger(__name__)


def run(
    slide: Word,
    xenium: InFile,
    he: InFile,
    reference: InFile,
    label_key: Word,
    out: OutFile,
    settings: Annotated[PreflightSettings, as_json(PreflightSettings)],
    alignment: MaybeInFile = None,
    layer: Word = "",
    label_map: MaybeInFile = None,
    predictions: MaybeInFiles = None,
    nuclei: MaybeInFile = None,
) -> None:
    """Look at the raw files before any work is done."""
    raw = RawFiles(
        slide,
        xenium,
        he,
        reference,
        label_key,
        layer,
        alignment,
        label_map,
        tuple(predictions or ()),
        nuclei,
    )
    found = Findings()
    for look in LOOKS:
        look.at(raw, settings, found)
    for name, words in raw_words(found.facts).items():
        logger.info("%s: %s: %s", slide, name, words)
    for problem in found.problems:
        logger.warning("%s: %s", slide, problem)
    record = {"slide": slide, "facts": found.facts, "problems": found.problems}
    inputs = {"experiment": xenium / SPECIFICATION, "he": he, "reference": reference}
    write_record(out, record, provenance("preflight", settings, inputs))
