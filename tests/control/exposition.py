"""A reader of Prometheus's text format, by its rules and no more lenient."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
_SAMPLE = re.compile(
    rf"({_NAME})(?:\{{((?:{_LABEL}(?:,(?=[a-zA-Z_])|(?=\}})))*)\}})? (\S+)"
)
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

Labels = frozenset[tuple[str, str]]


@dataclass
class Metric:
    """One metric: its type, what it means, and its samples by their labels."""

    kind: str = ""
    about: str = ""
    samples: dict[Labels, float] = field(default_factory=dict)


def read(text: str) -> dict[str, Metric]:
    """Return the metrics in a text; fail where it breaks a rule of the format."""
    assert text == "" or text.endswith("\n")
    metrics: dict[str, Metric] = {}
    last = ""
    for line in text.split("\n")[:-1]:
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            assert re.fullmatch(_NAME, name)
            metric = metrics.setdefault(name, Metric())
            assert not metric.samples, f"{word} of {name} comes after its samples"
            if word == "HELP":
                assert not metric.about
                metric.about = rest
            else:
                assert word == "TYPE"
                assert not metric.kind
                assert rest in {"counter", "gauge", "histogram", "summary", "untyped"}
                metric.kind = rest
            continue
        match = _SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        assert name == last or not metrics[name].samples, f"{name} is in two groups"
        last = name
        assert metrics[name].kind
        assert metrics[name].kind != "counter" or name.endswith("_total")
        key = _labels(labels or "")
        assert key not in metrics[name].samples, f"{line} is there twice"
        metrics[name].samples[key] = float(value)
    return metrics


def _labels(text: str) -> Labels:
    pairs = [(m[1], m[2]) for m in re.finditer(r'(\w+)="((?:[^"\\]|\\.)*)"', text)]
    assert len(dict(pairs)) == len(pairs)
    return frozenset(
        (name, re.sub(r"\\.", lambda m: _ESCAPED[m[0]], value)) for name, value in pairs
    )


def of(metric: Metric, **labels: object) -> float:
    """Return the value of the one sample with just these labels."""
    return metric.samples[frozenset((k, str(v)) for k, v in labels.items())]
