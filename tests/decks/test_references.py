#!/usr/bin/env python3
"""Counts the reference cases that the gallery reproduces, and fails when a deck asks for less than its case does.

A verify entry names its case in `source`. Its `expect` must be the case's value and its `within` no wider than the case's tolerance
(relative to the value, in the case's unit). Cases that a deck checks through another number are listed in derived.yaml with the reason.
"""
import os, re, sys
from pathlib import Path
import yaml

SOURCE = Path(os.environ["INKDROP_SOURCE"])
HERE = Path(__file__).resolve().parent


def number(text):
    """The leading number of a deck's value: '36.6 degC' -> 36.6, '0.1 %' -> (0.1, percent)."""
    match = re.match(r"\s*([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*(.*)", str(text))
    return (float(match[1]), match[2]) if match else (None, "")


def tolerance(case):
    """The first relative tolerance in the case's text, or None ('within 2 cells', '1.95 to 2.05')."""
    match = re.match(r"([\d.]+e-?\d+) relative", case["tolerance"])
    return float(match[1]) if match else None


def complaint(entry, case, derived):
    value, _ = number(entry["expect"])
    wanted = float(case["value"])
    within, unit = number(entry["within"])
    if entry["source"] in derived:
        allowed = derived[entry["source"]]
        limit = allowed["within"]
        if value is None or abs(value - allowed["expect"]) > 1e-12 * abs(allowed["expect"]):
            return f"expects {entry['expect']}, derived.yaml has {allowed['expect']}"
        return f"within {entry['within']} is wider than {limit}" if within > limit * (1 + 1e-9) else None
    if value is None or abs(abs(value) - abs(wanted)) > 1e-12 * abs(wanted):
        return f"expects {entry['expect']}, the case has {case['value']}"
    limit = tolerance(case)
    if limit is None:
        return f"no relative tolerance in '{case['tolerance']}': list it in derived.yaml"
    relative = within / 100 if unit.startswith("%") else within / abs(wanted)
    return f"within {entry['within']} is wider than {limit} relative" if relative > limit * (1 + 1e-9) else None


def main():
    cases = {case["id"]: case for case in yaml.safe_load((HERE.parent / "references.yaml").read_text())}
    derived = yaml.safe_load((HERE / "derived.yaml").read_text())
    covered, failed = set(), 0
    for deck in sorted((SOURCE / "inputs").glob("*/*.yaml")):
        for entry in yaml.safe_load(deck.read_text()).get("verify", []):
            source = entry.get("source")
            if source is None:
                continue
            text = complaint(entry, cases[source], derived) if source in cases else "no such case in references.yaml"
            if text:
                failed += 1
                print(f"{deck.name}: {source}: {text}")
            else:
                covered.add(source)
    for identifier, where in derived.items():  # reproduced by a test, not by a deck
        if "test" in where and (HERE.parent / where["test"]).exists():
            covered.add(identifier)
    print(f"references covered: {len(covered)} of {len(cases)}")
    print(f"{len(covered)} passed, {failed} failed")
    return 1 if failed or not covered else 0


if __name__ == "__main__":
    sys.exit(main())
