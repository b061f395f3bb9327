"""From half of the captured replies of an API what is inferred reads the other half, with presets switched off."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from gateway.config import presets
from gateway.model import Problem, Reply
from gateway.pipeline.examples import answer, plan_for
from gateway.pipeline.suggest import suggest
from gateway.pipeline.suggest.choice import compiled
from tests.shared import FOLDER, reads_shared

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = reads_shared

_CORPUS = FOLDER / "corpus"


def test_the_other_half_is_read(tmp_path: Path) -> None:
    """So many per cent of replies that inference has not seen are wholly right, by the judge of the named presets."""
    judged = tmp_path / "half"
    judged.mkdir()
    answers = tmp_path / "out.jsonl"
    lines: list[str] = []
    for file in sorted(_CORPUS.glob("*.json")):
        if file.stem != "presets":
            samples = json.loads(file.read_text(encoding="utf-8"))["samples"]
            (judged / file.name).write_text(json.dumps({"samples": samples[1::2]}), encoding="utf-8")
            lines += _answers(file.stem, samples)
    answers.write_text("\n".join(lines), encoding="utf-8")
    arguments = [str(_CORPUS / "score.py"), "results", str(answers), "--dir", str(judged), "--at-least", "93"]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()[-4000:]


def _answers(stem: str, samples: list[dict[str, Any]]) -> list[str]:
    """Infer from every other sample, and read those between."""
    suggested = suggest([_reply(sample) for sample in samples[::2]], use_presets=False).dialect
    dialect = presets.preset(suggested) if isinstance(suggested, str) else compiled(suggested)
    found = []
    for number, sample in enumerate(samples[1::2]):
        result, document = answer(_reply(sample), plan_for(dialect, stem))
        line = {
            "id": f"{stem}/{number:03d}/{sample['name']}",
            "is_error": isinstance(result, Problem),
            "document": json.loads(document) if document is not None else None,
        }
        found.append(json.dumps(line))
    return found


def _reply(sample: dict[str, Any]) -> Reply:
    body = sample.get("raw_body")
    if body is None:
        kept = sample["body"]
        body = "" if kept is None else kept if isinstance(kept, str) else json.dumps(kept, ensure_ascii=False)
    headers = tuple((name.encode(), str(value).encode()) for name, value in sample["headers"].items())
    return Reply(status=sample["status"], headers=headers, body=body.encode())
